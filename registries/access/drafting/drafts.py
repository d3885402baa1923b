"""Drafts of access rules: made, put in force together at one moment, or thrown away."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from registries.access.facts import Rule
from registries.access.models import AccessRule

_UNSEEN = ("id", "last_used_at", "reviewed_at", "reviewed_by", "created_at")


def make_draft(actor: Actor, rule: Rule, reason: str) -> AccessRule:
    """A row for a rule that an explanation proposes; nothing is in force by it."""
    with transaction.atomic():
        draft = AccessRule.objects.create(
            team_id=rule.team,
            user_id=rule.user,
            robot_id=rule.robot,
            zone_id=rule.zone,
            registry_id=rule.registry,
            is_public=rule.is_public,
            pattern=rule.pattern,
            may_pull="pull" in rule.actions,
            may_push="push" in rule.actions,
            may_delete="delete" in rule.actions,
            reason=reason[:255],
            is_draft=True,
        )
        record(actor, "accessrule.drafted", draft, reason=reason[:255])
    return draft


def version_of(drafts: Iterable[AccessRule], without: Iterable[AccessRule] = ()) -> str:
    """Of what was looked at: another text as soon as one of the drafts, or of the rules that would end, is another."""
    rows = sorted({rule.pk: rule for rule in (*drafts, *without)}.items())
    ended = sorted({rule.replaces_id for _, rule in rows if rule.replaces_id})
    replaced = sorted(AccessRule.objects.filter(pk__in=ended), key=lambda rule: rule.pk)
    seen = [[rule.pk, _seen(rule)] for rule in (*(rule for _, rule in rows), *replaced)]
    return hashlib.sha256(json.dumps(seen, default=str, sort_keys=True).encode()).hexdigest()[:32]


def _seen(rule: AccessRule) -> dict[str, Any]:
    return {name: value for name, value in model_to_dict(rule).items() if name not in _UNSEEN}


def put_in_force(
    actor: Actor, drafts: Sequence[AccessRule], *, without: Sequence[AccessRule] = (), seen: str = ""
) -> list[AccessRule]:
    """The drafts become rules, what they replace ends where they begin, and the rules ``without`` which they were looked at end now: all
    at one moment. ``seen`` is the version that was looked at.

    Raises Problem 409 ``no_draft`` for what is gone or in force already, ``draft_changed`` where it is not what was seen, and
    ``ended_draft`` for a draft whose end has passed."""
    with transaction.atomic():
        now = timezone.now()
        rows = _locked(drafts)
        ending = _locked(without)
        _check(rows, drafts, now)
        if seen and version_of(rows, ending) != seen:
            raise Problem(
                409,
                "draft_changed",
                "Something has changed since it was looked at. Hold the drafts against the requests again.",
            )
        for row in rows:
            _begin(actor, row, now)
        for row in ending:
            if not row.is_draft:
                _end(actor, row, now, because="left out")
    return rows


def discard_drafts(actor: Actor, drafts: Sequence[AccessRule]) -> int:
    """Throw drafts away; how many. What is in force already stays."""
    with transaction.atomic():
        rows = [row for row in _locked(drafts) if row.is_draft]
        for row in rows:
            record(actor, "accessrule.discarded", row)
            row.delete()
    return len(rows)


def _locked(rules: Iterable[AccessRule]) -> list[AccessRule]:
    """The rows as they are now, in the order of keys, so that two who do this never wait for each other in a circle."""
    keys = [rule.pk for rule in rules]
    return list(AccessRule.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))


def _check(rows: Sequence[AccessRule], wanted: Sequence[AccessRule], now: datetime) -> None:
    if not rows or len(rows) < len({rule.pk for rule in wanted}) or not all(row.is_draft for row in rows):
        raise Problem(
            409, "no_draft", "Some of it is no draft any more: somebody has put it in force or thrown it away."
        )
    for row in rows:
        if row.ends_at is not None and row.ends_at <= now:
            raise Problem(
                409, "ended_draft", f"The draft {row.pk} ({row}) would end before it begins; give it another end."
            )


def _begin(actor: Actor, row: AccessRule, now: datetime) -> None:
    replaced = (
        AccessRule.objects.select_for_update(of=("self",)).filter(pk=row.replaces_id).first()
        if row.replaces_id
        else None
    )
    row.is_draft, row.replaces = False, None
    row.save()
    record(actor, "accessrule.put_in_force", row, replaces=str(replaced.pk) if replaced else "")
    if replaced is not None and not replaced.is_draft:
        begins = max(now, row.starts_at) if row.starts_at else now
        _end(actor, replaced, begins, because=f"replaced by rule {row.pk}")


def _end(actor: Actor, rule: AccessRule, at: datetime, *, because: str) -> None:
    """It stays readable, and so does what refers to it. One that has not begun yet never will."""
    ends_at = at if rule.starts_at is None else max(at, rule.starts_at)
    if rule.ends_at is None or rule.ends_at > ends_at:
        rule.ends_at = ends_at
        rule.save(update_fields=["ends_at"])
        record(actor, "accessrule.ended", rule, because=because, ends_at=ends_at.isoformat())
