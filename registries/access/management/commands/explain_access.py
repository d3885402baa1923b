"""``manage.py explain_access WHO ACTION REGISTRY/REPOSITORY``: may they, and why or why not?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registries.access.explain import Explanation, explain
from registries.access.policy import ACTIONS
from registries.access.who import UnknownPrincipalError, find_principal
from registries.topology.models import Registry


class Command(BaseCommand):
    help = "Say whether somebody may pull, push or delete, and which rule decides. Exit status: 0 allowed, 1 refused, 2 bad question."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", help="alice, robot.payments-ci, system:pipeline or anonymous")
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("where", metavar="REGISTRY/REPOSITORY", help="for example prod/payments/api")

    def handle(self, *args: Any, **options: Any) -> None:
        registry, repository = self.place(options["where"])
        try:
            principal = find_principal(options["who"])
        except UnknownPrincipalError as error:
            raise CommandError(str(error), returncode=2) from error
        found = explain(principal, options["action"], registry, repository, timezone.now())
        for line in self.lines(found):
            self.stdout.write(line)
        if not found.is_allowed:
            sys.exit(1)

    def place(self, where: str) -> tuple[Registry, str]:
        """By its name in the portal, or by the host that clients write."""
        name, _, repository = where.partition("/")
        rows = Registry.objects.select_related("zone", "fronts__zone")
        registry = rows.filter(name=name).first() or rows.filter(host=name).first()
        if registry is None or not repository:
            raise CommandError(f"{where!r} names no repository here; write REGISTRY/REPOSITORY, for example prod/payments/api.",
                               returncode=2)  # fmt: skip
        return registry, repository

    def lines(self, found: Explanation) -> list[str]:
        facts = [("decided by", found.rule), ("what to do", found.fix), ("note", found.note)]
        lost = [f"  did not count: {label}" for label in found.lost]
        return [found.sentence, *(f"  {name}: {text}" for name, text in facts if text), *lost]
