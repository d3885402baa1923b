"""Pure: what stands in the way of a step in the exchange of a registry's key? Sentences for people, empty where nothing does."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# After so long an answer of the registry says nothing any more: it may have been restarted with another file.
PROBE_HOLDS: Final = timedelta(minutes=15)
# Registries allow tokens a minute beyond their end; the rest is for clocks and for long work that looks at the policy late.
LEEWAY: Final = timedelta(seconds=60)
MARGIN: Final = timedelta(minutes=4)
# Makes that trust one key at a time.
SINGLE_KEY: Final = frozenset({"zot"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the registry answered: one of trusted, refused, unchecked, down."""

    at: datetime
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One key. ``state`` is one of published, active, replaced, retired, revoked."""

    pk: int
    kid: str
    algorithm: str
    state: str
    created_at: datetime
    activated_at: datetime | None = None
    replaced_at: datetime | None = None
    retired_at: datetime | None = None
    seen: Seen | None = None

    @property
    def short(self) -> str:
        return self.kid[:14]

    @property
    def is_out(self) -> bool:
        return self.state in ("retired", "revoked")

    @property
    def is_seen_refused(self) -> bool:
        """Whether the registry has refused it since it was taken out."""
        return bool(
            self.seen and self.seen.outcome == "refused" and self.retired_at and self.seen.at >= self.retired_at
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one registry, the oldest first. ``life`` is how long a token of ours is good, ``algorithm`` what it is set to."""

    registry: str
    product: str
    all: tuple[KeyFacts, ...]
    life: timedelta
    algorithm: str = ""

    @property
    def is_single(self) -> bool:
        return self.product in SINGLE_KEY

    @property
    def active(self) -> KeyFacts | None:
        return self._first("active")

    @property
    def next(self) -> KeyFacts | None:
        return self._first("published")

    @property
    def replaced(self) -> tuple[KeyFacts, ...]:
        return tuple(key for key in self.all if key.state == "replaced")

    @property
    def lingering(self) -> tuple[KeyFacts, ...]:
        """Taken out here, and the registry has not been seen to refuse them; those that are a danger first."""
        found = [key for key in self.all if key.is_out and not key.is_seen_refused and not self._is_ousted(key)]
        return tuple(sorted(found, key=lambda key: key.state != "revoked"))

    def retires_at(self, key: KeyFacts) -> datetime:
        """When the last token signed by a replaced key has certainly ended."""
        return (key.replaced_at or key.created_at) + self.life + LEEWAY + MARGIN

    def _is_ousted(self, key: KeyFacts) -> bool:
        """Where one key is trusted at a time: whether the registry was seen to trust another since."""
        since, seen = key.replaced_at or key.retired_at, self.active.seen if self.active else None
        return self.is_single and bool(seen and since and seen.outcome == "trusted" and seen.at >= since)

    def _first(self, state: str) -> KeyFacts | None:
        return next((key for key in self.all if key.state == state), None)


def why_not_publish(keys: Keys) -> str:
    if keys.next is not None:
        return f"The next key {keys.next.short} is published already. Go on with it, or abandon it."
    if keys.active is None:
        return f"{keys.registry} has no key yet, and its first needs no exchange: manage.py registry_config {keys.registry} makes it."
    return ""


def why_not_switch(keys: Keys, now: datetime) -> str:
    if keys.next is None:
        return "There is no next key. Publish one first."
    return "" if keys.is_single else _why_not_trusted(keys, keys.next, keys.next.created_at, now)


def why_not_retire(keys: Keys, key: KeyFacts, now: datetime) -> str:
    if key.state != "replaced":
        return f"Only a key that another has replaced can be retired; {key.short} is {key.state}."
    if keys.active is None:
        return f"{keys.registry} has no key that signs."
    # Whoever trusts one key at a time has long forgotten the old one when it is seen to trust the new.
    if not keys.is_single and now < keys.retires_at(key):
        return f"Tokens signed by it may be good until {clock(keys.retires_at(key))}. Retire it then."
    return _why_not_trusted(keys, keys.active, key.replaced_at or key.created_at, now)


def why_not_abandon(keys: Keys) -> str:
    return "" if keys.next is not None else "There is no next key that could be abandoned."


def why_not_revoke(key: KeyFacts) -> str:
    return f"{key.short} is {key.state} already." if key.is_out else ""


def _why_not_trusted(keys: Keys, key: KeyFacts, since: datetime, now: datetime) -> str:
    """Whether the registry was just seen to take tokens signed by the key; ``since`` is from when on that counts."""
    seen, name = key.seen, "next key" if key.state == "published" else "key that signs"
    if seen is None or seen.at < since:
        return f"Nobody has seen yet whether {keys.registry} trusts the {name}. Probe it."
    if seen.outcome != "trusted":
        return f"The last probe of the {name} failed: {seen.text} Then probe again."
    if seen.at + PROBE_HOLDS < now:
        minutes = PROBE_HOLDS // timedelta(minutes=1)
        return f"The probe of the {name} is from {clock(seen.at)}, more than {minutes} minutes ago. Probe it again."
    return ""


def clock(moment: datetime) -> str:
    """A time as these sentences say it."""
    return f"{moment:%-d %B, %H:%M} UTC"
