"""Pure: which user name does somebody get who comes from elsewhere?"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import count

LONGEST = 64
NOBODY = "person"


def free_name(hints: Iterable[str], is_taken: Callable[[str], bool]) -> str:
    """The first hint that makes a name, with a number behind it where somebody has that already."""
    wanted = next((name for hint in hints if (name := fit_name(hint))), NOBODY)
    if not is_taken(wanted):
        return wanted
    numbered = (f"{wanted[: LONGEST - 6].rstrip('._-')}-{number}" for number in count(2))
    return next(name for name in numbered if not is_taken(name))


def fit_name(hint: str) -> str:
    """As our rule for names wants it: ``CORP\\Zoë.Smith@example.com`` is ``zoe.smith``. Empty where nothing is left."""
    text = hint.rpartition("\\")[2].partition("@")[0]
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    joined = re.sub(r"([._-])[._-]+", r"\1", re.sub(r"[^a-z0-9._-]+", "-", plain))
    name = joined.strip("._-")[:LONGEST].rstrip("._-")
    return f"robot-{name.removeprefix('robot.')}" if name.startswith("robot.") else name
