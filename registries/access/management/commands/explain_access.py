"""``manage.py explain_access WHO ACTION REGISTRY/REPOSITORY``: may they, and why or why not?"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from registries.access.explain import Explanation, explain_whole, facts_of
from registries.access.explaining.question import BadQuestionError, Question, read_question, read_time
from registries.access.policy import ACTIONS
from registries.topology.models import Registry


class Command(BaseCommand):
    help = "Say whether somebody may pull, push or delete, and which rule decides. Exit status: 0 allowed, 1 refused, 2 bad question."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("who", help="alice, robot.payments-ci, system:pipeline or anonymous")
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument(
            "where", metavar="REGISTRY/REPOSITORY", help="for example prod/payments/api; a tag does no harm"
        )
        parser.add_argument(
            "--from-address", default="", metavar="ADDRESS", help="where the client is, for rules with networks"
        )
        parser.add_argument("--credential", default="", metavar="HANDLE", help="the secret that is shown, or 'keyless'")
        parser.add_argument(
            "--at", default="", metavar="TIME", help="such as 2027-01-31T12:00, in UTC; now when left out"
        )
        parser.add_argument("--json", action="store_true", help="the same facts for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        registry, repository = self.place(options["where"])
        try:
            question = read_question(
                options["who"],
                options["action"],
                registry,
                repository,
                timezone.now(),
                address=options["from_address"],
                credential=options["credential"],
                at=read_time(options["at"]),
            )
        except BadQuestionError as error:
            raise CommandError(str(error), returncode=2) from error
        found = explain_whole(question)
        if options["json"]:
            self.stdout.write(json.dumps(facts_of(question, found), indent=2, cls=DjangoJSONEncoder))
        else:
            for line in self.lines(question, found):
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

    def lines(self, question: Question, found: Explanation) -> Iterator[str]:
        """The answer first, then what stands behind it."""
        yield found.sentence
        for name, text in (("decided by", found.rule), ("what to do", found.fix), ("note", found.note)):
            if text:
                yield f"  {name}: {text}"
        yield from (f"  note: {note}" for note in question.notes)
        yield from (f"  did not count: {lost}" for lost in found.lost)
        yield from (f"  {'would deny' if found.is_allowed else 'nearly'}: {miss}" for miss in found.near)
        yield from (f"  would have to go first: {change.text}" for change in found.changes.all_of)
        yield from (f"  would change it: {change.text}" for change in found.changes.one_of)
        yield from (f"  who can: {asked}" for asked in found.ask)
