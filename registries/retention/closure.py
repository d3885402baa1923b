"""What must stay although a policy lets its tag go? Pure: the last word before anything is deleted.

Kept are: what a kept tag points to, all below it, what refers to it and what it refers to; what is held, with all that; and the
tags by which referrers are found (fallback and cosign tags) as long as their subject stays. A tag may go while its digest stays."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from registries.catalog.digest_tags import bare_tag
from registries.oci.digest import Digest
from registries.retention.evaluate import Fate


@dataclass(frozen=True)
class Graph:
    """What is in one repository: every manifest with its children, and the subjects of those that have one."""

    children: Mapping[Digest, frozenset[Digest]] = field(default_factory=dict)
    subjects: Mapping[Digest, Digest] = field(default_factory=dict)


@dataclass(frozen=True)
class Closure:
    """``fates`` by tag; ``protected``: digest -> why it stays; ``going``: digests that nothing needs once the tags are gone."""

    fates: Mapping[str, Fate]
    protected: Mapping[Digest, str]
    going: frozenset[Digest]


def close(fates: Mapping[str, Fate], graph: Graph, holds: Mapping[Digest, str]) -> Closure:
    """The final fate of tags and digests of one repository. ``holds``: digest -> reason, for holds in force."""
    return _Closing(fates, graph, holds).result()


class _Closing:
    def __init__(self, fates: Mapping[str, Fate], graph: Graph, holds: Mapping[Digest, str]) -> None:
        self._graph, self._holds = graph, holds
        self._fates = dict(fates)
        self._referrers: dict[Digest, set[Digest]] = defaultdict(set)
        for digest, subject in graph.subjects.items():
            self._referrers[subject].add(digest)
        self._attached = self._find_attached()
        self._by_subject: dict[Digest, set[str]] = defaultdict(set)
        for tag, subject in self._attached.items():
            self._by_subject[subject].add(tag)

    def result(self) -> Closure:
        for tag, fate in self._ordinary():
            if not fate.is_kept and (reason := self._held_below(fate.tag.digest)):
                self._fates[tag] = replace(fate, is_kept=True, reason=f"Held by {reason}.")
        protected = self._protect(self._roots())
        for tag, subject in self._attached.items():
            self._fates[tag] = self._fate_of_attached(self._fates[tag], subject, protected)
        for tag, fate in self._ordinary():
            if not fate.is_kept and fate.tag.digest in protected:
                why = protected[fate.tag.digest]
                self._fates[tag] = replace(fate, reason=f"{fate.reason} Its digest stays: {why}.")
        return Closure(self._fates, protected, self._going(protected))

    def _ordinary(self) -> list[tuple[str, Fate]]:
        return [(tag, fate) for tag, fate in self._fates.items() if tag not in self._attached]

    def _find_attached(self) -> dict[str, Digest]:
        """Tags that name another digest which something else here leads to: they share its fate."""
        by_name = {digest.fallback_tag: digest for digest in self._graph.children}
        named = {
            tag: by_name[bare]
            for tag, fate in self._fates.items()
            if (bare := bare_tag(tag)) in by_name and not fate.is_protected and not self._held_below(fate.tag.digest)
        }
        anchors = {fate.tag.digest for tag, fate in self._fates.items() if tag not in named}
        reached = self._reach(anchors, named)
        return {tag: subject for tag, subject in named.items() if subject in reached}

    def _reach(self, start: Iterable[Digest], named: Mapping[str, Digest]) -> set[Digest]:
        reached: set[Digest] = set()
        open_ = list(start)
        while open_:
            digest = open_.pop()
            if digest in reached:
                continue
            reached.add(digest)
            open_ += self._graph.children.get(digest, ())
            open_ += self._referrers.get(digest, ())
            open_ += [self._fates[tag].tag.digest for tag, subject in named.items() if subject == digest]
        return reached

    def _held_below(self, digest: Digest) -> str:
        """Why something at or below a digest is held, or nothing."""
        below = self._reach([digest], {}) if self._holds else set()
        return next((self._holds[held] for held in sorted(below) if held in self._holds), "")

    def _roots(self) -> dict[Digest, str]:
        held = {digest: f"it is held by {reason}" for digest, reason in self._holds.items()}
        kept = {fate.tag.digest: f"tag {tag} keeps it" for tag, fate in self._ordinary() if fate.is_kept}
        return held | kept

    def _protect(self, roots: Mapping[Digest, str]) -> dict[Digest, str]:
        protected: dict[Digest, str] = {}
        open_ = list(roots.items())
        while open_:
            digest, why = open_.pop()
            if digest in protected:
                continue
            protected[digest] = why
            open_ += self._neighbours(digest)
        return protected

    def _neighbours(self, digest: Digest) -> Iterable[tuple[Digest, str]]:
        for child in self._graph.children.get(digest, ()):
            yield child, f"the index {digest.short}, which stays, lists it"
        for referrer in self._referrers.get(digest, ()):
            yield referrer, f"it refers to {digest.short}, which stays"
        if digest in self._graph.subjects:
            yield self._graph.subjects[digest], f"{digest.short}, which stays, refers to it"
        for tag in self._by_subject.get(digest, ()):
            yield self._fates[tag].tag.digest, f"tag {tag} belongs to {digest.short}, which stays"

    @staticmethod
    def _fate_of_attached(fate: Fate, subject: Digest, protected: Mapping[Digest, str]) -> Fate:
        if subject in protected:
            return replace(fate, is_kept=True, reason=f"It belongs to {subject.short}, which stays.")
        return replace(fate, is_kept=False, reason=f"It belongs to {subject.short}, which goes.")

    def _going(self, protected: Mapping[Digest, str]) -> frozenset[Digest]:
        """Everything the deleted tags led to that nothing else here leads to, and never a part of what somebody left untagged."""
        tagged_away = {fate.tag.digest for fate in self._fates.values() if not fate.is_kept}
        going = {d for d in self._reach(tagged_away, {}) if d not in protected and d in self._graph.children}
        parents: dict[Digest, set[Digest]] = defaultdict(set)
        for parent, children in self._graph.children.items():
            for child in children:
                parents[child].add(parent)
        needed = [digest for digest in going if not parents[digest] <= going]
        while needed:
            digest = needed.pop()
            if digest in going:
                going.discard(digest)
                needed += [neighbour for neighbour, _ in self._neighbours(digest)]
        return frozenset(going)


def led_to(digest: Digest, graph: Graph, among: frozenset[Digest]) -> list[Digest]:
    """What is found from a digest downwards inside a set, the digest itself first: it, its children, what refers to them."""
    referrers: dict[Digest, list[Digest]] = defaultdict(list)
    for referrer, subject in graph.subjects.items():
        if referrer in among:
            referrers[subject].append(referrer)
    found: dict[Digest, None] = {}
    open_ = [digest]
    while open_:
        here = open_.pop()
        if here in among and here not in found:
            found[here] = None
            open_ += sorted(graph.children.get(here, ()))
            open_ += referrers[here]
    return list(found)


def height(digest: Digest, graph: Graph) -> int:
    """How many levels of manifests are below; an index stands above what it lists."""
    level, reached = graph.children.get(digest, frozenset()), 0
    while level and reached < len(graph.children):
        level = frozenset(below for child in level for below in graph.children.get(child, ()))
        reached += 1
    return reached
