"""Who owns which prefix of names? Claimed, handed over, released; names that leave an owner rest until the tokens made before are past."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Length, Substr
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import Team
from registries.access.models import Namespace, Restriction
from registries.access.queries import owning_namespace
from registries.access.tokens import LIFE_SECONDS
from registries.topology.models import Zone

RELEASED: Final = "released_name"
# Registries take a token for a minute past its end (Distribution, both versions); one more for clocks that differ.
LEEWAY_SECONDS: Final = 60
MARGIN_SECONDS: Final = 60
QUARANTINE: Final = timedelta(seconds=LIFE_SECONDS + LEEWAY_SECONDS + MARGIN_SECONDS)
# How long a quarantine that is over can still be looked up.
KEPT: Final = timedelta(days=7)
MOST_TOLD: Final = 5


def claim_namespace(actor: Actor, zone: Zone, prefix: str, team: Team) -> Namespace:
    """The team owns the prefix from now on. Taken out of a wider prefix of another team, the names rest first: that team's tokens for
    them are still good. Inside somebody's quarantine a claim works and pushes wait. Raises ValidationError."""
    made = Namespace(zone=zone, prefix=prefix, team=team)
    made.full_clean()
    try:
        with transaction.atomic():
            wider = owning_namespace(zone, prefix)
            made.save()
            record(actor, "namespace.claimed", made, team=team.name)
            if wider is not None and wider.team_id != team.pk:
                _rest(actor, made, wider.team, team)
    except IntegrityError as error:
        text = f"Somebody else has claimed {prefix} in {zone} in this very moment."
        raise ValidationError({"prefix": text}) from error
    return made


def hand_over_namespace(actor: Actor, namespace: Namespace, team: Team) -> None:
    """Another team owns it from now on, and nobody pushes or deletes there until the tokens of the one before are past. What is there
    may be pulled all the while: it is what it was. To the same team is nothing."""
    with transaction.atomic():
        row = Namespace.objects.select_for_update(of=("self",)).select_related("zone", "team").get(pk=namespace.pk)
        if row.team_id == team.pk:
            return
        before, row.team = row.team, team
        row.full_clean()
        row.save()
        record(actor, "namespace.handed_over", row, before=before.name, team=team.name)
        _rest(actor, row, before, team)
    namespace.team = team


def release_namespace(actor: Actor, namespace: Namespace) -> None:
    """Nobody owns it any more, but for the owner of a wider prefix. The names rest altogether until all tokens made before are past, so
    that whoever claims them next is alone there."""
    with transaction.atomic():
        row = Namespace.objects.select_for_update(of=("self",)).select_related("zone", "team").get(pk=namespace.pk)
        record(actor, "namespace.released", row, team=row.team.name)
        _rest(actor, row, row.team, None)
        row.delete()


def _rest(actor: Actor, row: Namespace, before: Team, after: Team | None) -> Restriction:
    """Forbidden to everybody for as long as a token of the owner before may be good somewhere."""
    now = timezone.now()
    what = (
        f"team {before} handed the names {row.prefix} to team {after}"
        if after
        else f"team {before} released the names {row.prefix}"
    )
    made = Restriction.objects.create(
        zone=row.zone,
        pattern=f"{row.prefix}/**",
        forbids_pull=after is None,
        forbids_push=True,
        forbids_delete=True,
        code=RELEASED,
        reason=f"{what}; tokens made before are still good"[:255],
        starts_at=now,
        ends_at=now + QUARANTINE,
        source_label=Namespace._meta.label_lower,
        source_key=f"{row.zone}/{row.prefix}"[:120],
    )
    record(actor, "restriction.created", made, until=(now + QUARANTINE).isoformat())
    return made


def resting(zone: Zone, prefix: str, now: datetime) -> Restriction | None:
    """The quarantine that a claim of the prefix runs into; the one that ends last."""
    rows = Restriction.objects.filter(code=RELEASED, zone=zone, ends_at__gt=now).order_by("-ends_at")
    return next((row for row in rows if _meet(row.pattern.removesuffix("/**"), prefix)), None)


def overlapping(zone: Zone, prefix: str, team: Team) -> list[Namespace]:
    """Namespaces of other teams that the prefix lies in, or that lie in it. The longest prefix owns a name."""
    rows = Namespace.objects.filter(zone=zone).exclude(team=team).select_related("team", "zone")
    return [row for row in rows if row.prefix != prefix and _meet(row.prefix, prefix)]


def overlap_text(row: Namespace, prefix: str) -> str:
    """What two owners, one within the other's names, mean for each of them."""
    inner, outer = (row.prefix, prefix) if row.prefix.startswith(f"{prefix}/") else (prefix, row.prefix)
    return f"{row.prefix} belongs to team {row.team}. The longest prefix owns a name: {inner} is apart from the rest of {outer}."


def notes_on(row: Namespace) -> list[str]:
    """What whoever has claimed a prefix ought to know: that it rests, and who else has names around or inside it."""
    found = []
    rest = resting(row.zone, row.prefix, timezone.now())
    if rest is not None and rest.ends_at is not None:
        found.append(f"Pushes to {rest.pattern} wait until {rest.ends_at:%H:%M} UTC: {rest.reason}.")
    others = overlapping(row.zone, row.prefix, row.team)
    found += [overlap_text(other, row.prefix) for other in others[:MOST_TOLD]]
    if len(others) > MOST_TOLD:
        found.append(f"{len(others) - MOST_TOLD} more namespaces of other teams lie around or inside {row.prefix}.")
    return found


def with_wider(rows: QuerySet[Namespace]) -> QuerySet[Any]:
    """Each with ``wider`` and ``wider_team``: the namespace that it was cut out of, where there is one."""
    around = (
        Namespace.objects.filter(zone=OuterRef("zone"))
        .annotate(begun=Substr(OuterRef("prefix"), 1, Length("prefix") + 1), path=Concat("prefix", Value("/")))
        .filter(begun=F("path"))
        .order_by(Length("prefix").desc())
    )
    return rows.annotate(
        wider=Subquery(around.values("prefix")[:1]), wider_team=Subquery(around.values("team__name")[:1])
    )


def forget_old_quarantines(now: datetime) -> int:
    """Those that were over long ago; how many. Looked for first: a deletion of nothing is a write all the same."""
    gone = Restriction.objects.filter(code=RELEASED, ends_at__lt=now - KEPT)
    return gone.delete()[0] if gone.exists() else 0


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
