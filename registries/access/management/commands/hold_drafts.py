"""``manage.py hold_drafts [KEY...]``: which requests of the last 30 days would end otherwise?"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registries.access.drafting.hold_drafts import DAYS, UNKNOWN, Comparison, all_drafts, hold_drafts, rows_of
from registries.access.drafting.trials import result_of
from registries.access.models import AccessRule

SHOWN = 20


class Command(BaseCommand):
    help = (
        f"Hold drafts of access rules against what was asked in the last {DAYS} days. "
        "Exit status: 0 nothing would be refused newly, 1 something would, 2 bad question."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "drafts", nargs="*", type=int, metavar="KEY", help="keys of drafts; all drafts when left out"
        )
        parser.add_argument(
            "--without", type=int, action="append", default=[], metavar="KEY", help="a rule to leave out"
        )
        parser.add_argument("--json", action="store_true", help="everything, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        drafts = self.rules(options["drafts"], is_draft=True) if options["drafts"] else all_drafts()
        without = self.rules(options["without"], is_draft=False)
        if not drafts and not without:
            raise CommandError("There is no draft: make an access rule with is_draft in the admin.", returncode=2)
        found = hold_drafts(drafts, without)
        if options["json"]:
            self.stdout.write(json.dumps({**result_of(found), "unknown": UNKNOWN}, indent=2))
        else:
            for line in self.lines(drafts, without, found):
                self.stdout.write(line)
        if found.refused.kinds:
            sys.exit(1)

    def rules(self, keys: list[int], *, is_draft: bool) -> list[AccessRule]:
        rows = list(AccessRule.objects.filter(pk__in=keys, is_draft=is_draft).order_by("pk"))
        missing = sorted(set(keys) - {row.pk for row in rows})
        if missing:
            word = "draft" if is_draft else "rule in force"
            raise CommandError(f"There is no {word} {', '.join(map(str, missing))}.", returncode=2)
        return rows

    def lines(self, drafts: list[AccessRule], without: list[AccessRule], found: Comparison) -> Iterator[str]:
        yield from (f"draft {rule.pk}: {rule}" for rule in drafts)
        yield from (f"without rule {rule.pk}: {rule}" for rule in without)
        turned = f"{found.refused.requests} requests newly refused, {found.allowed.requests} newly allowed"
        yield f"since {found.since}: {turned}, {found.unchanged} unchanged, {found.gone} by those who are gone"
        rows = list(rows_of(found))
        for row in rows[:SHOWN]:
            where = f"{row.registry}/{row.repository}"
            yield f"  {'allowed' if row.is_allowed else 'REFUSED'} {row.requests} x {row.principal} {row.action} {where}: {row.after}"
        if len(rows) > SHOWN:
            yield f"  and {len(rows) - SHOWN} more; --json has them"
        yield from (f"note: {note}" for note in UNKNOWN)
