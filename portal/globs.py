"""Pure: which names does a glob mean? The one meaning for repositories, tags and hosts, in rules, paths, gates and policies alike:

``?`` is one character but ``/``, ``*`` any number of them, ``**`` anything; ``team/**`` means ``team`` itself too. All other
characters mean themselves, and case counts."""

import re
from collections.abc import Iterable
from functools import lru_cache

_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def regex_of(glob: str) -> str:
    """The same as a regular expression over the whole name, in the words that Python and both databases share."""
    head, below = (glob[:-3], "(/.*)?") if glob.endswith("/**") else (glob, "")
    parts = re.split(r"(\*\*|\*|\?)", head)
    return f"^{''.join(_WILD.get(part) or re.escape(part) for part in parts)}{below}$"


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(regex_of(glob), re.DOTALL)


def matches(glob: str, name: str) -> bool:
    """Whether the glob means the name."""
    return _compiled(glob).fullmatch(name) is not None


def matches_any(globs: Iterable[str], name: str) -> bool:
    """No globs at all mean every name."""
    listed = tuple(globs)
    return not listed or any(matches(glob, name) for glob in listed)
