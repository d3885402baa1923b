"""``manage.py registry_config REGISTRY``: the config.yml that makes a Distribution server, or zot, trust this portal."""

from pathlib import Path, PurePosixPath
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registries.access.signing.registry_config import (
    DEFAULT_KEYS_DIR,
    DISTRIBUTION,
    PRODUCTS,
    VERSIONS,
    ZOT,
    Wanted,
    config_text,
    key_file_text,
)
from registries.topology.models import Reach, Registry


class Command(BaseCommand):
    help = "Print the config.yml of a CNCF Distribution or zot server that trusts this portal's tokens."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's own ``--version`` gives way: here it means the server's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", nargs="?", help="its name in the portal")
        parser.add_argument(
            "--all", metavar="DIR", help="write config.yml and keys of every enforced registry to DIR/NAME/"
        )
        parser.add_argument("--version", dest="server", choices=VERSIONS, default="2.8", help="version of the server")
        parser.add_argument("--product", choices=PRODUCTS, help="make of the server (default: the registry's own)")
        parser.add_argument("--listen", default=":5000", help="address the server listens on (default: :5000)")
        parser.add_argument("--storage", default="/var/lib/registry", help="folder of its content")
        parser.add_argument("--keys-dir", help="folder of its keys file; the file is written there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["all"]) == bool(options["registry"]):
            raise CommandError("Name one registry, or give --all DIR.")
        if options["all"]:
            for registry in Registry.objects.select_related("zone", "fronts").filter(reach=Reach.ENFORCED):
                home = Path(options["all"]).absolute() / registry.name
                self.write(home / "config.yml", self.configure(registry, home, options))
            return
        folder = Path(options["keys_dir"]).absolute() if options["keys_dir"] else None
        self.stdout.write(self.configure(self.find(options["registry"]), folder, options), ending="")

    def find(self, name: str) -> Registry:
        registry = Registry.objects.select_related("zone", "fronts").filter(name=name).first()
        if registry is None:
            known = ", ".join(Registry.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no registry named {name}. There are: {known}.")
        return registry

    def configure(self, registry: Registry, folder: Path | None, options: dict[str, Any]) -> str:
        """The configuration; its keys file is written where there is a folder for it."""
        product = options["product"] or (ZOT if registry.product == ZOT else DISTRIBUTION)
        keys_dir = PurePosixPath(folder or DEFAULT_KEYS_DIR)
        wanted = Wanted(options["server"], options["listen"], options["storage"], keys_dir, product)
        if folder is not None:
            self.write(folder / wanted.key_file.name, key_file_text(registry, wanted))
        return config_text(registry, wanted)

    def write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"Wrote {path}.")
