"""``manage.py verify_audit``: prove that the record is whole."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.audit.seal import seal_committed
from portal.audit.verify import verify_record


class Command(BaseCommand):
    help = (
        "Check every seal of the audit; exit 1 and name what is wrong if anything was changed, removed or slipped in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seal", action="store_true", help="seal what is committed first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seal"]:
            seal_committed()
        result = verify_record()
        for finding in result.findings:
            self.stderr.write(finding)
        self.stdout.write(
            f"{result.sealed} events sealed, {result.unsealed} not yet sealed, {result.checkpoints} checkpoints signed."
        )
        if not result.is_whole:
            self.stderr.write("The record is not whole.")
            raise SystemExit(1)
        self.stdout.write("The record is whole.")
