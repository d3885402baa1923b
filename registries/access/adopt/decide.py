"""Decisions about user names: which person one is, that one is refused on purpose, that an old login ends."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import User
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision


def decide_name(actor: Actor, adoption: Adoption, username: str, person: User | None) -> NameDecision:
    """``person`` logs in with a personal token from then on; nobody: the name is refused on purpose."""
    with transaction.atomic():
        decision, _ = NameDecision.objects.update_or_create(
            adoption=adoption, username=username, defaults={"person": person, "decided_by": actor.name[:120]}
        )
        told = person.username if person else ""
        record(actor, "adoption.name_decided", adoption, username=username, person=told, is_refused=person is None)
    return decision


def forget_decision(actor: Actor, adoption: Adoption, username: str) -> None:
    """As if nothing had been decided of the name. Twice is once."""
    with transaction.atomic():
        if NameDecision.objects.filter(adoption=adoption, username=username).delete()[0]:
            record(actor, "adoption.name_undecided", adoption, username=username)


def disable_login(actor: Actor, login: ImportedLogin, now: datetime | None = None) -> bool:
    """The old password is good no more from the next request on. Twice is once; whether it was this time."""
    with transaction.atomic():
        done = ImportedLogin.objects.filter(pk=login.pk, disabled_at=None).update(disabled_at=now or timezone.now())
        if done:
            record(actor, "importedlogin.disabled", login, robot=login.robot.login)
    return bool(done)


def enable_login(actor: Actor, login: ImportedLogin) -> bool:
    """It works again until its end."""
    with transaction.atomic():
        done = ImportedLogin.objects.filter(pk=login.pk).exclude(disabled_at=None).update(disabled_at=None)
        if done:
            record(actor, "importedlogin.enabled", login, robot=login.robot.login)
    return bool(done)
