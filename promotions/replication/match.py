"""Pure: what should a target hold, and how do the rows that say so change?

Replication never deletes: a tag that went at the source stays at the target, and its row says so."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from portal.globs import matches
from registries.oci.digest import Digest

_PAUSES = (15, 60, 5 * 60, 15 * 60, 60 * 60)
_REFERRERS_TAG = re.compile(r"sha(256|512)-[0-9a-f]{64}(\.[a-z]+)?")


@dataclass(frozen=True)
class Known:
    """A delivery as its row says. ``is_begun``: its target has it, or a copy is on its way."""

    tag: str
    digest: Digest
    is_begun: bool


@dataclass(frozen=True)
class Changes:
    """``create`` and ``change``: tag -> digest; ``drop``: rows that nothing came of yet and nobody wants any more;
    ``outlived``: tags that went at the source and stay at the target."""

    create: Mapping[str, Digest]
    change: Mapping[str, Digest]
    drop: Sequence[str]
    outlived: Sequence[str]


def wanted_tags(repository_glob: str, tag_glob: str, repository: str, tags: Mapping[str, Digest]) -> dict[str, Digest]:
    """The tags of a source repository that a rule speaks of."""
    if not matches(repository_glob, repository):
        return {}
    return {tag: digest for tag, digest in tags.items() if matches(tag_glob, tag)}


def plan_deliveries(wanted: Mapping[str, Digest], known: Sequence[Known]) -> Changes:
    """The changes that lead from the rows of a repository to what is wanted now."""
    there = {row.tag: row for row in known}
    return Changes(
        create={tag: digest for tag, digest in wanted.items() if tag not in there},
        change={tag: digest for tag, digest in wanted.items() if tag in there and there[tag].digest != digest},
        drop=[row.tag for row in known if row.tag not in wanted and not row.is_begun],
        outlived=[row.tag for row in known if row.tag not in wanted and row.is_begun],
    )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row. It grows to an hour and never to for ever."""
    return timedelta(seconds=_PAUSES[min(max(attempts, 1), len(_PAUSES)) - 1])


def is_referrers_tag(tag: str) -> bool:
    """Tags by which registries without a referrers API keep signatures; not names that people gave."""
    return _REFERRERS_TAG.fullmatch(tag) is not None
