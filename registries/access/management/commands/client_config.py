"""``manage.py client_config LOCATION``: the files that make clients pull from the closest registries."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registries.access.client_files.closest import plan_routes
from registries.access.client_files.files import ClientFile, ClientSetup
from registries.access.client_files.kubernetes import DEFAULT_SECRET_NAME, NOBODY_YET, Puller
from registries.access.client_files.rows import client_registries, location_names
from registries.access.client_files.setups import CLIENTS, files_by_path, setups_for
from registries.access.models import RobotAccount, Secret
from registries.access.recognise import MAX_SECRET_CHARACTERS, hash_of
from registries.access.who import ROBOT_PREFIX

BAD_QUESTION = 2


class Command(BaseCommand):
    help = "Print or write what containerd, podman, docker and Kubernetes need to pull from the registries closest to a location."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "location",
            nargs="?",
            default="",
            help="where the clients stand; without one every registry goes by its own name",
        )
        parser.add_argument(
            "--for", dest="client", choices=[*CLIENTS, "all"], default="all", help="one of them (default: all)"
        )
        parser.add_argument("--write", metavar="DIR", help="write the files below DIR instead of printing them")
        parser.add_argument("--robot", default="", help="whose pull secret, for example shop or robot.shop")
        parser.add_argument(
            "--secret-file", metavar="FILE", help="holds a secret of that robot; - is the standard input"
        )
        parser.add_argument("--namespace", default="", help="of the pull secret")
        parser.add_argument(
            "--secret-name", default=DEFAULT_SECRET_NAME, help=f"of the pull secret (default: {DEFAULT_SECRET_NAME})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        location, puller = self.location(options["location"]), self.puller(options)
        registries = client_registries()
        if not registries:
            raise CommandError(
                "There are no registries yet. Describe yours in a file and take it in: manage.py topology apply FILE."
            )
        plan = plan_routes(registries, location)
        setups = setups_for(options["client"], plan, puller)
        if options["write"]:
            self.write(Path(options["write"]), files_by_path(setups).values())
        else:
            self.show(setups)
        for setup in setups:
            for note in setup.notes:
                self.tell(setup.title, f"{note.text}\n{note.code}".splitlines())
        logins = [one.written for one in plan.logins]
        if logins:
            self.tell("logins", [f"These registries ask for a login of the portal: {', '.join(logins)}."])
        for remark in plan.remarks:
            self.tell("left out", [remark])

    def location(self, name: str) -> str:
        known = location_names()
        if name and name not in known:
            text = f"There is no location named {name}. There are: {', '.join(known) or 'none yet'}."
            raise CommandError(text, returncode=BAD_QUESTION)
        return name

    def puller(self, options: dict[str, Any]) -> Puller:
        name = str(options["robot"]).removeprefix(ROBOT_PREFIX)
        if options["secret_file"] and not name:
            raise CommandError(
                "A secret is some robot's: give --robot NAME beside --secret-file.", returncode=BAD_QUESTION
            )
        robot = self.robot(name) if name else None
        secret = self.secret(robot, options["secret_file"]) if robot and options["secret_file"] else ""
        login = robot.login if robot else NOBODY_YET
        puller = Puller(login, secret, options["secret_name"], options["namespace"])
        for finding in puller.findings:
            raise CommandError(finding, returncode=BAD_QUESTION)
        return puller

    def robot(self, name: str) -> RobotAccount:
        robot = RobotAccount.objects.filter(name=name).first()
        if robot is None:
            known = ", ".join(RobotAccount.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no robot named {name}. There are: {known}.", returncode=BAD_QUESTION)
        return robot

    def secret(self, robot: RobotAccount, source: str) -> str:
        """Read and looked up, so that no cluster is given what would be refused. It is in no message."""
        try:
            given = sys.stdin.read(4096) if source == "-" else Path(source).read_text()[:4096]
        except (OSError, UnicodeError) as error:
            raise CommandError(
                f"{source} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
            ) from error
        text = given.strip()
        stored = Secret.objects.filter(robot=robot, secret_hash=hash_of(text), revoked_at=None).first()
        is_over = stored is not None and stored.expires_at is not None and stored.expires_at <= timezone.now()
        if stored is None or is_over or len(text) > MAX_SECRET_CHARACTERS:
            raise CommandError(
                f"What was given is no secret of {robot.login} that is good now.", returncode=BAD_QUESTION
            )
        return text

    def show(self, setups: list[ClientSetup]) -> None:
        """All that is not a file begins with #, which TOML and YAML skip."""
        shown: set[str] = set()
        for setup in setups:
            for file in setup.files:
                if file.path not in shown:
                    self.stdout.write(f"# {setup.title}: {file.path}, for {file.target}")
                    self.stdout.write(file.text)
                    shown.add(file.path)

    def tell(self, about: str, lines: list[str]) -> None:
        for number, line in enumerate(lines):
            self.stdout.write(f"# {about}: {line}" if number == 0 else f"#   {line}")

    def write(self, folder: Path, files: Iterable[ClientFile]) -> None:
        for file in files:
            path = folder / file.path
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)  # what was there may be open to more eyes, and may be a link to elsewhere
                mode = 0o600 if file.is_secret else 0o644
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
                    out.write(file.text)
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
            self.stderr.write(f"Wrote {path}.")
