"""Pure: what the policy decides from, and what it decides. Values alone, read from rows by :mod:`registries.access.snapshot`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

from portal.globs import matches, matches_any
from portal.networks import Network, lies_in
from registries.access.principals import Principal
from registries.oci.scope import Scope

Whom = tuple[str, str]
_WILDCARD = re.compile(r"[*?]")
EVERYONE: Final[Whom] = ("everyone", "")


@dataclass(frozen=True, slots=True)
class Place:
    """A registry as the policy sees it; ``kind`` and ``requires_keyless`` are its zone's."""

    key: int
    name: str
    zone_key: int
    zone: str
    kind: str
    fronts: "Place | None" = None
    requires_keyless: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """An access rule. Without team, user and robot it speaks of everyone signed in, and with ``is_public`` of strangers too; with
    ``networks`` of clients there alone."""

    key: int
    label: str
    is_deny: bool
    actions: frozenset[str]
    pattern: str = "**"
    team: int | None = None
    user: int | None = None
    robot: int | None = None
    zone: int | None = None
    registry: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_public: bool = False
    networks: tuple[Network, ...] = ()
    # What every name begins with that the pattern means; most rules are told apart by that alone.
    plain: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        wild = _WILDCARD.search(self.pattern)
        plain = self.pattern if wild is None else self.pattern[: wild.start()].rstrip("/")
        object.__setattr__(self, "plain", plain)

    @property
    def whom(self) -> Whom:
        """Whom it names: a person, a robot, a team, or everyone."""
        for kind, key in (("user", self.user), ("robot", self.robot), ("team", self.team)):
            if key is not None:
                return kind, str(key)
        return EVERYONE

    def reaches(self, principal: Principal) -> bool:
        """A rule for everyone reaches strangers only if it says so, or denies. Our own jobs are no rule's business."""
        if principal.kind == "anonymous":
            return (self.is_public or self.is_deny) and self._is_about(principal.address)
        return principal.is_signed_in and self._is_about(principal.address)

    def _is_about(self, address: str) -> bool:
        """Of a client whose address nobody knows, a grant does not hold and a denial does."""
        if not self.networks:
            return True
        return lies_in(address, self.networks) if address else self.is_deny

    def stands_at(self, place: Place) -> bool:
        return self.zone in (None, place.zone_key) and self.registry in (None, place.key)

    def covers(self, place: Place, repository: str) -> bool:
        return self.stands_at(place) and matches(self.pattern, repository)

    def is_in_force(self, now: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= now) and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class Default:
    """What an audience may do in a zone without any rule."""

    zone_key: int
    audience: str
    action: str

    def is_for(self, principal: Principal) -> bool:
        if not principal.is_signed_in:
            return False
        fits: Mapping[str, bool] = {
            "everyone": True,
            "people": principal.kind == "user",
            "ci": principal.is_ci,
            "robots": principal.kind == "robot",
        }
        return fits.get(self.audience, False)


@dataclass(frozen=True, slots=True)
class Limit:
    """A restriction: it forbids actions to everybody, our own jobs included, for a time."""

    label: str
    code: str
    reason: str
    actions: frozenset[str]
    pattern: str
    zone: int | None
    registry: int | None
    starts_at: datetime
    ends_at: datetime | None

    def holds(self, place: Place, repository: str, action: str, now: datetime) -> bool:
        if action not in self.actions or now < self.starts_at or (self.ends_at is not None and self.ends_at <= now):
            return False
        if self.zone not in (None, place.zone_key) or self.registry not in (None, place.key):
            return False
        return matches(self.pattern, repository)


@dataclass(frozen=True, slots=True)
class Naming:
    """Repositories that ``pattern`` means in a CI zone have to be named like one of ``names``."""

    label: str
    zone: int
    pattern: str
    names: tuple[str, ...]
    reason: str = ""

    def fault(self, repository: str) -> str:
        """Why the name does not do; empty where it does, or where the rule does not speak of it."""
        if not matches(self.pattern, repository) or matches_any(self.names, repository):
            return ""
        text = f"{repository} is not named like {' or '.join(self.names)}"
        return f"{text}: {self.reason}" if self.reason else text


@dataclass(frozen=True, slots=True)
class Owner:
    """The team that a prefix of names belongs to."""

    prefix: str
    team_id: int
    team: str


def _stems(repository: str) -> Iterator[str]:
    """The name, then all that it lies under, the longest first; last the empty one."""
    yield repository
    while "/" in repository:
        repository = repository.rpartition("/")[0]
        yield repository
    if repository:
        yield ""


@dataclass(frozen=True, slots=True)
class _Named:
    """Rules about one principal by the beginnings of names, which have few lengths: so many look-ups find them."""

    lengths: tuple[int, ...]
    by_beginning: Mapping[str, list[Rule]]


@dataclass(frozen=True)
class Policy:
    """Everything that rows say about access. ``owners`` by zone and prefix."""

    rules: tuple[Rule, ...] = ()
    defaults: tuple[Default, ...] = ()
    limits: tuple[Limit, ...] = ()
    owners: Mapping[tuple[int, str], Owner] = field(default_factory=dict)
    naming: tuple[Naming, ...] = ()

    def rules_about(self, principal: Principal) -> Iterator[Rule]:
        """Rules that name the principal, one of its teams, or everyone, in no order."""
        for whom in self._names_of(principal):
            if whom in self._by_whom:
                for rules in self._by_whom[whom].by_beginning.values():
                    yield from (rule for rule in rules if rule.reaches(principal))

    def rules_near(self, principal: Principal, repository: str) -> Iterator[Rule]:
        """Of those, the ones whose pattern may mean the repository, for they begin alike."""
        for whom in self._names_of(principal):
            found = self._by_whom.get(whom)
            if found is not None:
                for length in found.lengths:
                    for rule in found.by_beginning.get(repository[:length], ()):
                        if rule.reaches(principal):
                            yield rule

    @staticmethod
    def _names_of(principal: Principal) -> Iterator[Whom]:
        yield EVERYONE
        yield principal.kind, principal.key
        for team in principal.team_ids:
            yield "team", str(team)

    @cached_property
    def _by_whom(self) -> Mapping[Whom, "_Named"]:
        """By whom they name, then by what the names begin with that they mean."""
        found: dict[Whom, dict[str, list[Rule]]] = {}
        for rule in self.rules:
            found.setdefault(rule.whom, {}).setdefault(rule.plain, []).append(rule)
        return {whom: _Named(tuple(sorted(set(map(len, rules)))), rules) for whom, rules in found.items()}

    def owner_of(self, zone_key: int, repository: str) -> Owner | None:
        """The longest prefix decides; ``payments`` never owns ``payments-b``."""
        for stem in _stems(repository):
            owner = self.owners.get((zone_key, stem)) if stem else None
            if owner is not None:
                return owner
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One action, allowed or not, and why. ``rule`` is what decided, ``lost`` what spoke too and did not count; ``rule_key`` is the
    key of the access rule that allowed it, 0 where none did."""

    action: str
    is_allowed: bool
    code: str
    text: str
    fix: str = ""
    rule: str = ""
    lost: tuple[str, ...] = ()
    rule_key: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What became of one scope that was asked."""

    scope: Scope
    verdicts: tuple[Verdict, ...]

    @property
    def granted(self) -> frozenset[str]:
        return frozenset(verdict.action for verdict in self.verdicts if verdict.is_allowed)

    @property
    def refused(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.is_allowed)
