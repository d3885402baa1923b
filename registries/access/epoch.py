"""When did anything that decides about access last change? One number, which caches in every process hang on."""

import time

from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.db.models.signals import post_delete, post_save

from registries.access.models import AccessRule, Namespace, PolicyEpoch, Restriction, SigningKey
from registries.access.naming_rules.naming_models import NamingRule
from registries.topology.models import Registry, Zone, ZoneDefault

# Rows the policy is read from. Teams, people, robots and secrets are read live with each credential.
WATCHED: tuple[type[models.Model], ...] = (
    AccessRule, Namespace, NamingRule, Restriction, SigningKey, Registry, Zone, ZoneDefault,
)  # fmt: skip
_ROW = 1


def current_epoch() -> int:
    """0 before anything was ever changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM access_policyepoch WHERE id = %s", [_ROW])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def bump_epoch() -> None:
    """Every process reads the policy anew, once the caller's transaction is committed. For changes made without ``save()``.

    The number is a time in nanoseconds: one that was rolled back is never given again to another state of the rows."""
    now = time.time_ns()
    if PolicyEpoch.objects.filter(pk=_ROW).update(number=Greatest(F("number") + 1, now)):
        return
    try:
        with transaction.atomic():
            PolicyEpoch.objects.create(pk=_ROW, number=now)
    except IntegrityError:
        PolicyEpoch.objects.filter(pk=_ROW).update(number=Greatest(F("number") + 1, now))


def watch() -> None:
    """Bump with every row saved or deleted, whoever does it: the topology's own operations lie below this app and cannot call it."""
    for model in WATCHED:
        post_save.connect(_changed, sender=model, dispatch_uid=f"access-epoch-save-{model._meta.label_lower}")
        post_delete.connect(_changed, sender=model, dispatch_uid=f"access-epoch-delete-{model._meta.label_lower}")


def _changed(**_: object) -> None:
    bump_epoch()
