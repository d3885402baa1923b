"""``manage.py signing_keys REGISTRY [STEP]``: the exchange of a registry's key for scripts; without a step, where it stands."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portal.actor import system
from portal.http.problem import Problem
from registries.access.models import SigningKey
from registries.access.signing.key_material import ALGORITHMS
from registries.access.signing.rotation import (
    abandon_key,
    keys_of,
    probe_key,
    publish_next_key,
    retire_key,
    revoke_key,
    switch_key,
)
from registries.access.signing.rotation_steps import evaluate_rotation
from registries.topology.models import Registry

State = SigningKey.State
OPERATOR = system("command line")
REFUSED, BAD_QUESTION = 1, 2


class Command(BaseCommand):
    help = (
        "Exchange the key that signs for a registry: publish, restart the registry, probe, switch, wait, retire. "
        "Exit status: 0 done, 1 refused or the probe failed, 2 bad question."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name in the portal")
        parser.add_argument("step", nargs="?", choices=sorted(self.steps), help="nothing: say where it stands")
        parser.add_argument("--algorithm", choices=ALGORITHMS, help="publish: of the next key")
        parser.add_argument(
            "--key", default="", help="beginning of a key id; probe, retire and revoke know one by themselves"
        )
        parser.add_argument("--reason", default="", help="revoke: what happened")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = Registry.objects.filter(name=options["registry"]).first()
        if registry is None:
            known = ", ".join(Registry.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(
                f"There is no registry named {options['registry']}. There are: {known}.", returncode=BAD_QUESTION
            )
        if not options["step"]:
            self.tell(registry)
            return
        try:
            is_done, text = self.steps[options["step"]](self, registry, options)
        except Problem as problem:
            raise CommandError(
                problem.detail, returncode=BAD_QUESTION if problem.status == 422 else REFUSED
            ) from problem
        self.stdout.write(text)
        if not is_done:
            sys.exit(REFUSED)

    def tell(self, registry: Registry) -> None:
        keys = keys_of(registry)
        rotation = evaluate_rotation(keys, timezone.now())
        self.stdout.write(rotation.stands)
        for step in rotation.steps:
            self.stdout.write(f"  {step.state:6} {step.code:8} {step.text}")
        for key in keys.all:
            self.stdout.write(f"  {key.state:9} {key.algorithm} {key.kid}")

    def publish(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        key = publish_next_key(OPERATOR, registry, options["algorithm"] or "")
        return True, f"{key.kid} is published. Give {registry} the new file and restart it."

    def probe(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        key = self.chosen(registry, options["key"], State.PUBLISHED, State.ACTIVE)
        found = probe_key(OPERATOR, registry, key)
        is_out = key.state in (State.RETIRED, State.REVOKED)
        return found.outcome == (SigningKey.Probe.REFUSED if is_out else SigningKey.Probe.TRUSTED), found.text

    def switch(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        return True, f"{switch_key(OPERATOR, registry).kid} signs for {registry} from now on."

    def retire(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        key = self.chosen(registry, options["key"], State.REPLACED)
        retire_key(OPERATOR, registry, key)
        return True, f"{key.kid} is out of the files. {registry} trusts it until its next restart."

    def abandon(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        return True, f"{abandon_key(OPERATOR, registry).kid} is out of the files. It has signed nothing."

    def revoke(self, registry: Registry, options: dict[str, Any]) -> tuple[bool, str]:
        key = self.chosen(registry, options["key"], State.ACTIVE)
        heir = revoke_key(OPERATOR, registry, key, options["reason"])
        text = f"{key.kid} is out of the files. {registry} trusts it until it is restarted: give it the new file and restart it now."
        return True, f"{text} {heir.kid} signs from now on." if heir else text

    def chosen(self, registry: Registry, beginning: str, *states: str) -> SigningKey:
        """The key that was named, or the first in one of the states; of several in one state the oldest."""
        rows = SigningKey.objects.defer("private_pem").filter(registry=registry).order_by("pk")
        if beginning:
            named = list(rows.filter(kid__startswith=beginning)[:2])
            if len(named) != 1:
                many = "several keys" if named else "no key"
                raise CommandError(f"{registry} has {many} whose id begins with {beginning}.", returncode=BAD_QUESTION)
            return named[0]
        found = next((row for state in states for row in rows.filter(state=state)[:1]), None)
        if found is None:
            raise CommandError(f"{registry} has no key that is {' or '.join(states)}.", returncode=REFUSED)
        return found

    steps: dict[str, Callable[..., tuple[bool, str]]] = {
        "publish": publish,
        "probe": probe,
        "switch": switch,
        "retire": retire,
        "abandon": abandon,
        "revoke": revoke,
    }
