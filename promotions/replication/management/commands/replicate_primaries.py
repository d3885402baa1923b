"""``manage.py replicate_primaries``: let every replica follow its primary."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from portal.actor import system
from promotions.replication.models import ReplicationRule
from promotions.replication.reconcile import why_idle
from promotions.replication.rules import follow_primaries


class Command(BaseCommand):
    help = "Make one replication rule for each replica that has none: everything of its primary follows."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = follow_primaries(system("portal"))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        for rule in made:
            self.stdout.write(f"{rule.name}: {rule.source} to {rule.target}. {why_idle(rule)}".rstrip())
        if not made:
            self.stdout.write(f"Nothing to do: {ReplicationRule.objects.count()} rules are there already.")
