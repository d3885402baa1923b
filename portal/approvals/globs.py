"""Pure: does a repository name match a glob? ``*`` stops at ``/``, ``**`` does not."""

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?)", glob)
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts), re.DOTALL)


def matches(glob: str, name: str) -> bool:
    """``team/**`` also means ``team`` itself, as everywhere else where a namespace is named."""
    if glob.endswith("/**") and matches(glob[:-3], name):
        return True
    return _compiled(glob).fullmatch(name) is not None


def matches_any(globs: Iterable[str], name: str) -> bool:
    """No globs at all mean every name."""
    listed = tuple(globs)
    return not listed or any(matches(glob, name) for glob in listed)
