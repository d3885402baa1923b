"""Pure: how far is a registry with the exchange of its key, what comes next, and what stands in the way?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

# After so long an answer of the registry says nothing any more: it may have been restarted with another file.
PROBE_HOLDS: Final = timedelta(minutes=15)
# Registries allow tokens a minute beyond their end; the rest is for clocks and for long work that looks at the policy late.
LEEWAY: Final = timedelta(seconds=60)
MARGIN: Final = timedelta(minutes=4)
# Makes that trust one key at a time.
SINGLE_KEY: Final = frozenset({"zot"})

StepState = Literal["done", "now", "waits", "failed"]


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


@dataclass(frozen=True, slots=True)
class Step:
    """``code``: publish, restart, probe, switch, wait, retire, confirm. ``text`` says what to do, or what came of it."""

    code: str
    title: str
    state: StepState
    text: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """``stands`` is one sentence, ``now`` the code of the step to take, empty when there is nothing to do."""

    stands: str
    now: str
    steps: tuple[Step, ...]


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
        return f"Tokens signed by it may be good until {_clock(keys.retires_at(key))}. Retire it then."
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
        return f"The probe of the {name} is from {_clock(seen.at)}, more than {minutes} minutes ago. Probe it again."
    return ""


def evaluate_rotation(keys: Keys, now: datetime) -> Rotation:
    """Where the registry stands, and the steps with their state."""
    if keys.active is None:
        return Rotation(f"{keys.registry} has no key yet.", "", ())
    if keys.next is not None:
        return _before_switch(keys, keys.next, now)
    if keys.replaced:
        return _after_switch(keys, keys.active, keys.replaced[-1], now)
    if keys.lingering:
        return _taken_out(keys, keys.lingering[0])
    return _at_rest(keys, keys.active)


def _at_rest(keys: Keys, active: KeyFacts) -> Rotation:
    signs = f"One key signs for {keys.registry}: {active.short}, {active.algorithm}, since {active.activated_at or active.created_at:%-d %B %Y}."
    if keys.algorithm and keys.algorithm != active.algorithm:
        text = f"The registry is set to {keys.algorithm} and its key is {active.algorithm}: publish the next one to change over."
        return Rotation(
            f"{signs} It is set to {keys.algorithm}.", "publish", _steps(keys, "publish", {"publish": text})
        )
    text = "When you want to exchange the key, publish the next one."
    return Rotation(f"{signs} There is nothing to do.", "", _steps(keys, "publish", {"publish": text}))


def _before_switch(keys: Keys, key: KeyFacts, now: datetime) -> Rotation:
    hindrance = why_not_switch(keys, now)
    texts = {
        "publish": f"{key.short}, {key.algorithm}, since {_clock(key.created_at)}. It is in the files at once and signs nothing."
    }
    if key.seen is not None:
        texts["probe"] = key.seen.text
    if keys.is_single:
        stands = f"The next key of {keys.registry} is published. Restart it with the new certificate and switch in the same minute."
        return Rotation(stands, "restart", _steps(keys, "restart", texts))
    if not hindrance:
        texts["switch"] = (
            f"The probe of {_clock(key.seen.at if key.seen else now)} passed. From the switch on {key.short} signs."
        )
        return Rotation(f"{keys.registry} trusts the next key. Switch to it.", "switch", _steps(keys, "switch", texts))
    if key.seen is not None and key.seen.outcome == "trusted":
        texts["switch"] = hindrance
        return Rotation(
            f"{keys.registry} trusted the next key a while ago. {hindrance}", "probe", _steps(keys, "probe", texts)
        )
    is_failed = key.seen is not None
    stands = f"The next key of {keys.registry} is published. Give it the new file, restart it and probe."
    return Rotation(stands, "restart", _steps(keys, "restart", texts, failed="probe" if is_failed else ""))


def _after_switch(keys: Keys, active: KeyFacts, old: KeyFacts, now: datetime) -> Rotation:
    hindrance, ends = why_not_retire(keys, old, now), keys.retires_at(old)
    texts = {
        "switch": f"{active.short} signs since {_clock(active.activated_at or active.created_at)}.",
        "retire": hindrance or f"{old.short} signs nothing that is still good. It leaves the files when you retire it.",
    }
    if active.seen is not None:
        texts["probe"] = active.seen.text
    if not hindrance:
        return Rotation(f"The old key of {keys.registry} may go.", "retire", _steps(keys, "retire", texts))
    if not keys.is_single and now < ends:
        texts["wait"] = (
            f"Tokens signed by {old.short} may be good until {_clock(ends)}. Pulls and pushes go on as ever."
        )
        stands = f"The new key signs; the old one stays trusted until its last token has ended, at {_clock(ends)}."
        return Rotation(stands, "wait", _steps(keys, "wait", texts))
    is_failed = (
        active.seen is not None
        and active.seen.outcome != "trusted"
        and active.seen.at >= (old.replaced_at or old.created_at)
    )
    stands = f"The old key of {keys.registry} may go as soon as a probe has seen that the new one is trusted."
    code = "probe" if keys.is_single else "retire"
    return Rotation(stands, code, _steps(keys, code, texts, failed=code if is_failed else ""))


def _taken_out(keys: Keys, key: KeyFacts) -> Rotation:
    is_trusted = (
        key.seen is not None
        and key.seen.outcome == "trusted"
        and key.retired_at is not None
        and key.seen.at >= key.retired_at
    )
    word = "taken out" if key.state == "retired" else "revoked"
    stands = f"{key.short} was {word} here; {keys.registry} trusts it until it is restarted with the present file."
    if key.state == "revoked":
        stands += " Until then whoever holds the revoked key gets in."
    code = "restart" if keys.is_single else "confirm"
    texts = {code: key.seen.text if is_trusted and key.seen else stands}
    return Rotation(stands, code, _steps(keys, code, texts, failed=code if is_trusted else ""))


_ORDER = ("publish", "restart", "probe", "switch", "wait", "retire", "confirm")
_SINGLE_ORDER = ("publish", "restart", "switch", "probe", "retire")
_TITLES = {
    "publish": "Publish the next key",
    "restart": "Give the registry the new file and restart it",
    "probe": "Probe with a real token",
    "switch": "Switch",
    "wait": "Wait until the last old token has ended",
    "retire": "Retire the old key",
    "confirm": "Restart once more, and see that the old key is refused",
}
_SINGLE_TITLES = {
    "restart": "Change the certificate and restart",
    "switch": "Switch at once",
    "probe": "Probe with a real token",
}
_TEXTS = {
    "publish": "A new key that registries may trust and that signs nothing yet.",
    "restart": "Registries read their keys once, when they start.",
    "probe": "The portal asks the registry with a token signed by the next key, and with tokens that it must refuse.",
    "switch": "It waits for a probe that passes. From then on the new key signs, and nobody notices.",
    "wait": "Tokens of the old key stay good until they end by themselves.",
    "retire": "The old key leaves the files.",
    "confirm": "Until its next restart the registry goes on trusting what it read at the last.",
}
_SINGLE_TEXTS = {
    "restart": "It trusts one key at a time: from this restart on it refuses what the old key signs, so have the switch ready.",
    "switch": "Right after the restart. Logins fail between the two, and nothing can be probed before it that matters.",
    "probe": "The portal asks the registry with a token signed by the new key, and with tokens that it must refuse.",
}


def _steps(keys: Keys, now: str, texts: dict[str, str], failed: str = "") -> tuple[Step, ...]:
    """All steps: those before ``now`` are done, those after it wait."""
    order: Sequence[str] = _SINGLE_ORDER if keys.is_single else _ORDER
    titles = {**_TITLES, **_SINGLE_TITLES} if keys.is_single else _TITLES
    general = {**_TEXTS, **_SINGLE_TEXTS} if keys.is_single else _TEXTS
    place = order.index(now)
    return tuple(
        Step(code, titles[code], _state(number, place, code == failed), texts.get(code, general[code]))
        for number, code in enumerate(order)
    )


def _state(number: int, place: int, is_failed: bool) -> StepState:
    if is_failed:
        return "failed"
    return "done" if number < place else "now" if number == place else "waits"


def _clock(moment: datetime) -> str:
    return f"{moment:%-d %B, %H:%M} UTC"
