"""What changed between the rows we have and a list we have just read? Pure: values in, decisions out.

A tag that is not in a clean list is only counted as missing. It goes when a second clean list lacks it too, and not even then
when too many would go at once: that looks like a registry that lost its storage, and a person decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from registries.oci.digest import Digest

CONFIRMING_READS = 2
BRAKE_SHARE_PERCENT = 50
BRAKE_FREE_TAGS = 20
_MOST_READS = 100


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag as our rows have it. ``missing_reads``: clean lists in a row without it."""

    digest: Digest
    missing_reads: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A tag that is new (``old`` is None) or points elsewhere."""

    tag: str
    old: Digest | None
    new: Digest


@dataclass(frozen=True, slots=True)
class TagDiff:
    """``moves`` are created and moved tags; ``missing`` maps tags to their new count of reads; ``returned`` were missing and are back."""

    moves: tuple[Move, ...]
    missing: Mapping[str, int]
    returned: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.moves or self.missing or self.returned)


def diff_tags(known: Mapping[str, KnownTag], listed: frozenset[str], read: Mapping[str, Digest]) -> TagDiff:
    """``listed`` are all names of a list that ended cleanly, ``read`` the digests of those that could be resolved.

    A name that is listed and could not be resolved is neither missing nor moved: nothing is known about it."""
    moves = tuple(
        Move(tag, known[tag].digest if tag in known else None, digest)
        for tag, digest in read.items()
        if tag not in known or known[tag].digest != digest
    )
    missing = {tag: min(row.missing_reads + 1, _MOST_READS) for tag, row in known.items() if tag not in listed}
    returned = tuple(tag for tag, row in known.items() if tag in listed and row.missing_reads)
    return TagDiff(moves, missing, returned)


@dataclass(frozen=True, slots=True)
class Brake:
    """A sweep that must not remove anything, and why."""

    text: str


def brake_sweep(known: int, going: int) -> Brake | None:
    """Whether removing ``going`` of ``known`` tags is too much for one sweep to do by itself."""
    if going <= BRAKE_FREE_TAGS or going * 100 <= known * BRAKE_SHARE_PERCENT:
        return None
    return Brake(
        f"{going} of {known} tags were missing from two reads in a row. That is more than {BRAKE_SHARE_PERCENT} % and "
        f"looks like lost storage rather than cleaning up, so all of them are still shown. If the registry was reset on "
        f"purpose, accept the disappearance; if not, mend the registry and sync again."
    )
