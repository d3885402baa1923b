"""Which tags may go by the policies? Pure: tags, policies and the time in; a fate with its rule and reason out.

Protection beats deletion, whatever the order. A tag no policy speaks of stays. Nothing here knows of digests that are shared
or held: :mod:`registries.retention.closure` has the last word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portal.globs import matches
from registries.catalog.digest_tags import is_digest_tag
from registries.oci.digest import Digest

# Clocks of registries and portal differ a little; a tag from further ahead means that one of them is wrong.
CLOCK_SLACK = timedelta(minutes=5)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy as a value. ``older_than`` None and ``keep_newest`` 0 together say nothing, and nothing goes by it.

    ``may_delete`` off: only what it protects and keeps counts."""

    name: str
    repository_glob: str = "**"
    tag_glob: str = "*"
    older_than: timedelta | None = None
    keep_newest: int = 0
    protect_tag_glob: str = ""
    max_share_percent: int = 100
    position: int = 0
    may_delete: bool = True

    @property
    def says_when(self) -> bool:
        return self.may_delete and (self.older_than is not None or self.keep_newest > 0)

    @property
    def protected_globs(self) -> tuple[str, ...]:
        return tuple(glob.strip() for glob in self.protect_tag_glob.split(",") if glob.strip())


@dataclass(frozen=True, slots=True)
class TagFact:
    """A tag of one repository. ``moved_at``: when it was first seen on this digest.

    ``built_at`` is what its image claims. It only tells apart what was first seen at one moment, as when a registry joins."""

    name: str
    digest: Digest
    moved_at: datetime
    built_at: datetime | None = None

    @property
    def age_key(self) -> tuple[datetime, datetime, str]:
        """Sorts the older before the newer; the name last, so that an answer never depends on the order of rows."""
        return (self.moved_at, self.built_at or LONG_AGO, self.name)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a tag, by which rule, and why in a sentence. ``is_protected``: a policy names it as never to go."""

    tag: TagFact
    is_kept: bool
    rule: str
    reason: str
    is_protected: bool = False


def evaluate_tags(
    policies: Sequence[Policy], repository: str, tags: Iterable[TagFact], now: datetime
) -> dict[str, Fate]:
    """The fate of every tag of one repository."""
    applying = [policy for policy in in_order(policies) if matches(policy.repository_glob, repository)]
    facts = list(tags)
    newest = {policy.name: _newest(policy, facts) for policy in applying}
    return {fact.name: _fate(fact, applying, newest, now) for fact in facts}


def in_order(policies: Iterable[Policy]) -> list[Policy]:
    """Policies as they are asked: by position, then by name."""
    return sorted(policies, key=lambda policy: (policy.position, policy.name))


def _newest(policy: Policy, facts: Sequence[TagFact]) -> frozenset[str]:
    # Signatures and lists of referrers are no images; counted, they would push the images out.
    matching = [fact for fact in facts if matches(policy.tag_glob, fact.name) and not is_digest_tag(fact.name)]
    ordered = sorted(matching, key=lambda fact: fact.age_key, reverse=True)
    return frozenset(fact.name for fact in ordered[: policy.keep_newest])


def _fate(fact: TagFact, policies: Sequence[Policy], newest: Mapping[str, frozenset[str]], now: datetime) -> Fate:
    protecting = _protection(fact, policies, newest, now)
    if protecting is not None:
        return protecting
    spoken = [policy for policy in policies if policy.says_when and matches(policy.tag_glob, fact.name)]
    if not spoken:
        return Fate(fact, True, "", "No policy speaks of it.")
    for policy in spoken:
        if policy.older_than is None:
            reason = f"It is not among the newest {policy.keep_newest} tags."
            return Fate(fact, False, policy.name, reason)
        if now - fact.moved_at >= policy.older_than:
            reason = f"It has not moved for {spell(now - fact.moved_at)}; it may go after {spell(policy.older_than)}."
            return Fate(fact, False, policy.name, reason)
    first = spoken[0]
    limit = min(policy.older_than for policy in spoken if policy.older_than is not None)
    reason = f"It moved {spell(now - fact.moved_at)} ago; it may go after {spell(limit)}."
    return Fate(fact, True, first.name, reason)


def _protection(
    fact: TagFact, policies: Sequence[Policy], newest: Mapping[str, frozenset[str]], now: datetime
) -> Fate | None:
    for policy in policies:
        for glob in policy.protected_globs:
            if matches(glob, fact.name):
                return Fate(fact, True, policy.name, f"Tags like {glob} are protected.", is_protected=True)
        if fact.name in newest[policy.name]:
            return Fate(fact, True, policy.name, f"It is among the newest {policy.keep_newest} tags.")
    if fact.moved_at > now + CLOCK_SLACK:
        return Fate(fact, True, "", "It moved in the future: a clock is wrong, so its age is not known.")
    return None


def spell(span: timedelta) -> str:
    """A span in its largest sensible unit."""
    seconds = max(0, int(span.total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size or seconds == size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
