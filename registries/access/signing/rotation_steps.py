"""Pure: how far is a registry with the exchange of its key, and what comes next?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from registries.access.signing.rotation_rules import KeyFacts, Keys, clock, why_not_retire, why_not_switch

StepState = Literal["done", "now", "waits", "failed"]


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
        "publish": f"{key.short}, {key.algorithm}, since {clock(key.created_at)}. It is in the files at once and signs nothing."
    }
    if key.seen is not None:
        texts["probe"] = key.seen.text
    if keys.is_single:
        stands = f"The next key of {keys.registry} is published. Restart it with the new certificate and switch in the same minute."
        return Rotation(stands, "restart", _steps(keys, "restart", texts))
    if not hindrance:
        texts["switch"] = (
            f"The probe of {clock(key.seen.at if key.seen else now)} passed. From the switch on {key.short} signs."
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
        "switch": f"{active.short} signs since {clock(active.activated_at or active.created_at)}.",
        "retire": hindrance or f"{old.short} signs nothing that is still good. It leaves the files when you retire it.",
    }
    if active.seen is not None:
        texts["probe"] = active.seen.text
    if not hindrance:
        return Rotation(f"The old key of {keys.registry} may go.", "retire", _steps(keys, "retire", texts))
    if not keys.is_single and now < ends:
        texts["wait"] = f"Tokens signed by {old.short} may be good until {clock(ends)}. Pulls and pushes go on as ever."
        stands = f"The new key signs; the old one stays trusted until its last token has ended, at {clock(ends)}."
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
