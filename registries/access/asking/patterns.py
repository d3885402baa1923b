"""Pure: what can be said of a glob without any name at hand? Whether one means all that another does, whether it may mean a name
under a prefix, and a name that stands for all it means. The globs are those of :mod:`portal.globs`."""

import re
from collections.abc import Iterable
from typing import Final

from registries.oci.reference import is_repository

MEANT: Final = (
    "Letters, digits and . _ - with single / between the parts; * stops at /, ** does not, ? is one character."
)
_WRITTEN = re.compile(r"[a-z0-9._/*?-]+\Z")
_BELOW = "/**"
# What the wildcards are filled with for a name that stands for all; no rule of real life names it.
_FILLING = "x0any0name"

Tokens = tuple[str, ...]


def tokens_of(pattern: str) -> Tokens:
    """Wildcards and single characters."""
    return tuple(re.findall(r"\*\*|.", pattern, re.DOTALL))


def pattern_fault(pattern: str) -> str:
    """Why it is no pattern of repository names; empty where it is one."""
    if len(pattern) > 255 or not _WRITTEN.match(pattern) or not is_repository(example_of(pattern)):
        return f"“{pattern[:80]}” can mean no repository. {MEANT}"
    return ""


def is_plain(pattern: str) -> bool:
    """Whether it means one name alone."""
    return not any(token in ("*", "**", "?") for token in tokens_of(pattern))


def stem_of(pattern: str) -> str:
    """The whole parts before the first wildcard: every name it means lies under them, or is them."""
    wild = re.search(r"[*?]", pattern)
    return pattern if wild is None else pattern[: wild.start()].rpartition("/")[0]


def example_of(pattern: str) -> str:
    """A name that the pattern means and that is like no other."""
    return "".join({"**": _FILLING, "*": _FILLING, "?": "x"}.get(token, token) for token in tokens_of(pattern))


def covers(wide: str, narrow: str) -> bool:
    """Whether ``wide`` means every name that ``narrow`` means. Never a wrong yes; an odd nesting of wildcards may be a no."""
    if narrow.endswith(_BELOW):
        return covers(wide, narrow.removesuffix(_BELOW)) and _takes(wide, (*tokens_of(narrow[:-2]), "**"))
    return _takes(wide, tokens_of(narrow))


def may_mean_below(pattern: str, prefix: str) -> bool:
    """Whether it means the prefix itself or any name below it."""
    given = tokens_of(pattern)
    after = _run(given, tokens_of(prefix))
    return _is_over(given, after) or bool(_run(given, ("/",), after))


def _takes(wide: str, read: Tokens) -> bool:
    given = tokens_of(wide)
    return _is_over(given, _run(given, read))


def _run(given: Tokens, read: Iterable[str], places: frozenset[int] | None = None) -> frozenset[int]:
    """Places in ``given`` where one may stand after ``read``, whose own wildcards may stand for anything they mean."""
    found = _with_skipped(given, frozenset({0}) if places is None else places)
    for token in read:
        found = _with_skipped(given, frozenset(place for at in found for place in _step(given, at, token)))
    return found


def _step(given: Tokens, at: int, read: str) -> Iterable[int]:
    """A wildcard that was read is taken only by one that means as much."""
    here = given[at] if at < len(given) else ""
    if here == "**" or (here == "*" and read not in ("/", "**")):
        yield at
    elif (here == "?" and read not in ("/", "*", "**")) or (here == read and read not in ("*", "**", "?")):
        yield at + 1


def _with_skipped(given: Tokens, places: frozenset[int]) -> frozenset[int]:
    """A star may mean nothing at all."""
    found = set(places)
    for start in places:
        at = start
        while at < len(given) and given[at] in ("*", "**"):
            at += 1
            found.add(at)
    return frozenset(found)


def _is_over(given: Tokens, places: frozenset[int]) -> bool:
    """At the end, or where nothing but ``/**`` follows."""
    ends = {len(given)} | ({len(given) - 2} if given[-2:] == ("/", "**") else set())
    return bool(places & ends)
