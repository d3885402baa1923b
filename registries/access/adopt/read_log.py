"""Read the access log of a registry and keep what it says, rolled up; the log itself is not kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from registries.access.adopt.log_files import LogFile
from registries.access.adopt.models import Adoption, SeenRequest
from registries.access.adopt.sightings import Key, Seen, Sightings
from registries.topology.models import Registry

_BATCH = 500


@dataclass(frozen=True)
class LogFacts:
    """What is said about a log beside its rows."""

    sightings: Sightings
    too_long: int
    ended_early: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        seen = self.sightings
        return {
            "lines": seen.lines, "requests": seen.requests, "named": seen.named, "refused_by_the_registry": seen.refused,
            "not_understood": seen.not_understood, "too_long": self.too_long, "left_out": seen.left_out,
            "told_by": "its own words" if seen.source == "application" else "an access log",
            "knows_strangers": seen.knows_strangers, "ended_early": list(self.ended_early),
            "odd_lines": seen.odd_lines, "wrong_logins": dict(seen.wrong_logins.most_common(50)),
        }  # fmt: skip


def read_log(actor: Actor, registry: Registry, files: Iterable[LogFile]) -> Adoption:
    """Files one after the other, as one log; what was read before gives way. Raises ValueError when nothing in it is understood:
    then nothing changes."""
    facts = _read(files)
    if not facts.sightings.requests:
        raise ValueError(_why_nothing(facts))
    with transaction.atomic():
        adoption, _ = Adoption.objects.get_or_create(registry=registry)
        SeenRequest.objects.filter(adoption=adoption).delete()
        SeenRequest.objects.bulk_create(_rows(adoption, facts.sightings), batch_size=_BATCH)
        adoption.log_read_at, adoption.log_facts = timezone.now(), facts.as_json()
        adoption.save(update_fields=["log_read_at", "log_facts"])
        told = {name: facts.as_json()[name] for name in ("lines", "requests", "named", "not_understood")}
        record(actor, "adoption.log_read", adoption, **told)
    return adoption


def _read(files: Iterable[LogFile]) -> LogFacts:
    sightings, too_long, early = Sightings(), 0, []
    for file in files:
        sightings.read(file)
        too_long += file.too_long
        if file.ended_early:
            early.append(file.ended_early)
    return LogFacts(sightings, too_long, tuple(early))


def _rows(adoption: Adoption, sightings: Sightings) -> Iterable[SeenRequest]:
    for key, seen in sightings.rows.items():
        yield _row(adoption, key, seen, sightings.knows_strangers)


def _row(adoption: Adoption, key: Key, seen: Seen, knows_strangers: bool) -> SeenRequest:
    return SeenRequest(
        adoption=adoption, username=key.username or "", is_named=key.username is not None or knows_strangers,
        address=key.address, action=key.action, repository=key.repository, is_mount=key.is_mount,
        count=seen.count, first_at=seen.first_at, last_at=seen.last_at,
    )  # fmt: skip


def _why_nothing(facts: LogFacts) -> str:
    seen = facts.sightings
    parts = [f"No request to a repository was found in {seen.lines} lines"]
    if seen.not_understood:
        parts.append(f"{seen.not_understood} of them were not understood, the first was {seen.odd_lines[0][:120]!r}")
    parts += [*facts.ended_early]
    if facts.too_long:
        parts.append(f"{facts.too_long} were longer than 64 KiB")
    hint = (
        "Give the registry's own log at level info (not warn or error), or the access log of the proxy in front of it."
    )
    return f"{'; '.join(parts)}. {hint}"
