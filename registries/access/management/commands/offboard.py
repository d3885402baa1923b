"""``manage.py offboard USERNAME``: let a person go, from a script."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.actor import system
from portal.users.models import Team, User
from registries.access.farewell.leaving import Holdings, holdings_of, usual_days
from registries.access.farewell.leaving_page import said
from registries.access.farewell.offboard import LONGEST, Farewell, OffboardRefusedError, offboard


class Command(BaseCommand):
    help = "Switch an account off, end what it holds, and have the robot secrets the person was shown exchanged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument(
            "--days", type=int, choices=range(LONGEST + 1), metavar=f"0..{LONGEST}",
            help="how long each secret they were shown still works; without it 7 for those in use, 0 for the others",
        )  # fmt: skip
        parser.add_argument(
            "--successor", action="append", default=[], metavar="TEAM=USERNAME",
            help="who maintains a team that nobody else does; may be given several times",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        person = self._person(options["username"])
        holdings = holdings_of(person, timezone.now())
        successors = dict(self._successor(text) for text in options["successor"])
        chosen = options["days"]
        days = {secret.pk: usual_days(secret) if chosen is None else chosen for secret in holdings.secrets}
        self._say(holdings, days, {pk: user.username for pk, user in successors.items()})
        if options["dry_run"]:
            self.stdout.write("Nothing was done.")
            return
        try:
            done = offboard(system("command line"), person, Farewell(days, successors))
        except OffboardRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(said(person, done))

    def _say(self, holdings: Holdings, days: dict[int, int], successors: dict[int, str]) -> None:
        for token in holdings.tokens:
            self.stdout.write(f"token {token.handle} ({token.name}): revoked")
        for secret in holdings.secrets:
            end = f"ends in {days[secret.pk]} days" if days[secret.pk] else "revoked"
            self.stdout.write(f"secret {secret.handle} ({secret}): {end}")
        for rule in holdings.rules:
            self.stdout.write(f"rule {rule.pk} ({rule}): ends")
        for row in holdings.lonely_teams:
            self.stdout.write(f"team {row.team}: {successors.get(row.team.pk, 'nobody maintains it any more')}")
        for left in holdings.approvals:
            self.stdout.write(
                f"approval rule {left.rule}: needs {left.rule.required}, left are {', '.join(left.others) or 'none'}"
            )

    def _person(self, username: str) -> User:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is nobody named {username}.")
        return person

    def _successor(self, text: str) -> tuple[int, User]:
        name, separator, username = text.partition("=")
        team = Team.objects.filter(name=name).first()
        if not separator or team is None:
            raise CommandError(f"There is no team {name}; write TEAM=USERNAME.")
        return team.pk, self._person(username)
