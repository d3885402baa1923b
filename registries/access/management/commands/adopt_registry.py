"""``manage.py adopt_registry REGISTRY VERB``: bring a registry that people already use under the portal, step by step, and back."""

import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.actor import system
from portal.http.tables import table_of
from portal.users.models import Team
from registries.access.adopt.cutover import CannotCutOverError, cut_over, go_back, probe_registry
from registries.access.adopt.htpasswd import MAX_FILE_BYTES, NoHtpasswdError, read_htpasswd
from registries.access.adopt.import_users import Outcome, Wish, import_users
from registries.access.adopt.log_files import LogFile
from registries.access.adopt.models import DEFAULT_LIFE, Adoption
from registries.access.adopt.outlook import findings_of, make_drafts
from registries.access.adopt.read_log import read_log
from registries.access.adopt.report import Finding
from registries.access.adopt.shown import finding_row, log_lines
from registries.access.models import RobotAccount
from registries.topology.models import Registry

ACTOR = system("command line")


class Command(BaseCommand):
    help = (
        "Bring a registry that is in use under the portal: import-users, read-log, report, drafts, probe, cut-over, back. "
        "Exit status: 0 done, 1 refused or somebody would be refused (report), 2 bad question."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name in the portal")
        verbs = parser.add_subparsers(dest="verb", required=True)
        users = verbs.add_parser("import-users", help="users of an htpasswd file become logins that act as robots")
        users.add_argument("file", help="the htpasswd file; - for standard input")
        users.add_argument("--team", help="whose the new robot accounts are")
        users.add_argument("--kind", choices=RobotAccount.Kind.values, default=RobotAccount.Kind.CONSUMER.value)
        users.add_argument("--robot", help="one that is there, for all of them, instead of a new one each")
        users.add_argument("--only", action="append", default=[], metavar="GLOB", help="user names; may be repeated")
        users.add_argument(
            "--days", type=int, default=DEFAULT_LIFE.days, help="after which the logins end (default: 90)"
        )
        users.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        log = verbs.add_parser("read-log", help="read the access log; what was read before gives way")
        log.add_argument("files", nargs="+", help="files in order of time, gzip too; - for standard input")
        report = verbs.add_parser("report", help="who would be refused, under which rule")
        report.add_argument("--format", choices=["text", "csv"], default="text")
        report.add_argument("--all", action="store_true", help="what goes on as well")
        for verb, text in (
            ("drafts", "make drafts of rules that would let it go on"),
            ("probe", "ask the registry whether it trusts the portal's tokens"),
            ("cut-over", "its reach becomes enforced; refused while the probe fails"),
            ("back", "its reach becomes what it was before"),
        ):
            verbs.add_parser(verb, help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        registry = self.find(options["registry"])
        getattr(self, options["verb"].replace("-", "_"))(registry, options)

    def import_users(self, registry: Registry, options: dict[str, Any]) -> None:
        if options["days"] < 1:
            raise CommandError("--days: at least one; a login that has ended already lets nobody in.", returncode=2)
        wish = Wish(
            timezone.now() + timedelta(days=options["days"]), self.team(options["team"]), options["kind"],
            self.robot(options["robot"]), options["only"],
        )  # fmt: skip
        try:
            found = read_htpasswd(self.read(options["file"], MAX_FILE_BYTES + 1))
            outcomes = import_users(ACTOR, registry, found, wish, is_dry_run=options["dry_run"])
        except (NoHtpasswdError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.show(outcomes, is_dry_run=options["dry_run"])

    def read_log(self, registry: Registry, options: dict[str, Any]) -> None:
        try:
            adoption = read_log(ACTOR, registry, self.logs(options["files"]))
        except ValueError as error:
            raise CommandError(str(error)) from error
        for line in log_lines(adoption):
            self.stdout.write(line)

    def report(self, registry: Registry, options: dict[str, Any]) -> None:
        findings = findings_of(self.adoption(registry), timezone.now())
        refused = [found for found in findings if found.outlook == "refused" and not found.is_on_purpose]
        shown = findings if options["all"] else [found for found in findings if found.outlook != "goes on"]
        if options["format"] == "csv":
            self.stdout.write(table_of([finding_row(found) for found in shown]), ending="")
        else:
            self.tell(findings, shown)
        if refused:
            sys.exit(1)

    def drafts(self, registry: Registry, options: dict[str, Any]) -> None:
        made = make_drafts(ACTOR, self.adoption(registry), timezone.now())
        for rule in made:
            self.stdout.write(f"draft {rule.pk}: {rule}")
        self.stdout.write(
            f"{len(made)} drafts were made. None is in force before somebody puts it in force in the admin."
        )

    def probe(self, registry: Registry, options: dict[str, Any]) -> None:
        found = probe_registry(ACTOR, self.adoption(registry))
        self.stdout.write(f"{registry}: {found.text}.")
        if not found.is_good:
            sys.exit(1)

    def cut_over(self, registry: Registry, options: dict[str, Any]) -> None:
        try:
            cut_over(ACTOR, self.adoption(registry))
        except CannotCutOverError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{registry} is enforced now: it trusts the portal's tokens, and the portal says who may what."
        )

    def back(self, registry: Registry, options: dict[str, Any]) -> None:
        try:
            go_back(ACTOR, self.adoption(registry))
        except CannotCutOverError as error:
            raise CommandError(str(error)) from error
        registry.refresh_from_db()
        self.stdout.write(
            f"{registry} is {registry.reach} again. Start it with its old configuration, if that is not done."
        )

    def find(self, name: str) -> Registry:
        registry = Registry.objects.select_related("zone", "fronts").filter(name=name).first()
        if registry is None:
            known = ", ".join(Registry.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no registry named {name}. There are: {known}.", returncode=2)
        return registry

    def adoption(self, registry: Registry) -> Adoption:
        adoption, _ = Adoption.objects.get_or_create(registry=registry)
        adoption.registry = registry
        return adoption

    def team(self, name: str | None) -> Team | None:
        team = Team.objects.filter(name=name).first() if name else None
        if name and team is None:
            raise CommandError(f"There is no team named {name}.", returncode=2)
        return team

    def robot(self, name: str | None) -> RobotAccount | None:
        bare = name.removeprefix("robot.") if name else ""
        robot = RobotAccount.objects.filter(name=bare).first() if bare else None
        if name and robot is None:
            raise CommandError(f"There is no robot account named {name}.", returncode=2)
        return robot

    def read(self, name: str, most: int) -> bytes:
        try:
            if name == "-":
                return sys.stdin.buffer.read(most)
            with Path(name).open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from error

    def logs(self, names: Iterable[str]) -> Iterator[LogFile]:
        for name in names:
            if name == "-":
                yield LogFile(sys.stdin.buffer)
                continue
            try:
                with Path(name).open("rb") as stream:
                    yield LogFile(stream)
            except OSError as error:
                raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=2) from error

    def show(self, outcomes: list[Outcome], *, is_dry_run: bool) -> None:
        for row in outcomes:
            where = f"line {row.line}: " if row.what == "left" else ""
            whom = f" as {row.robot}" if row.robot else ""
            text = f": {row.text}" if row.text else ""
            what = "new" if is_dry_run and row.what == "imported" else row.what
            self.stdout.write(f"{what:9} {where}{row.username or '(no name)'}{whom}{text}")
        count = sum(row.what == "imported" for row in outcomes)
        self.stdout.write(f"{count} logins {'would be' if is_dry_run else 'were'} imported.")

    def tell(self, findings: list[Finding], shown: list[Finding]) -> None:
        for found in shown:
            row = finding_row(found)
            who = f"{row['user']} ({row['acts_as']})" if row["acts_as"] not in ("", row["user"]) else row["user"]
            self.stdout.write(f"{row['outlook']}: {who} {row['action']} {row['repository']}, {row['count']} times")
            self.stdout.write(f"  {row['reason']}")
            for name, text in (("decided by", row["rule"]), ("what to do", row["fix"])):
                if text:
                    self.stdout.write(f"  {name}: {text}")
        counts = {
            outlook: sum(f.sighting.count for f in findings if f.outlook == outlook)
            for outlook in ("goes on", "refused", "not known")
        }
        self.stdout.write(
            f"Of {sum(counts.values())} requests seen, {counts['goes on']} would go on, {counts['refused']} would be refused, "
            f"{counts['not known']} cannot be told."
        )
