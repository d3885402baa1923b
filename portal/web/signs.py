"""How are sizes, times, counts and digests written? One spelling for every page. Pure."""

from datetime import datetime

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
AGES = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (86400 * 60, 86400, "d"), (86400 * 730, 2630016, "months"))
YEAR = 31557600
THIN_SPACE = "\u202f"


def size_text(size: int) -> str:
    """Binary units, three figures: ``1.50 GiB``, ``412 MiB``."""
    value, unit = float(size), 0
    while value >= 1023.5 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    if unit == 0 or value >= 99.95:
        return f"{value:.0f} {UNITS[unit]}"
    return f"{value:.1f} {UNITS[unit]}"


def age_text(then: datetime, now: datetime) -> str:
    """``3 min ago``, ``in 2 h``, ``just now``."""
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    if size < 5:
        return "just now"
    unit, word = next(((unit, word) for limit, unit, word in AGES if size < limit), (YEAR, "years"))
    text = f"{int(size // unit)} {word}"
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def number_text(number: int) -> str:
    """Thousands set apart by a thin space."""
    return f"{number:,}".replace(",", THIN_SPACE)


def count_text(number: int, one: str, many: str) -> str:
    """``1 repository``, ``2 repositories``."""
    return f"{number_text(number)} {one if number == 1 else many}"


def short_digest(digest: str) -> str:
    """The first twelve characters of the encoded part."""
    return digest.partition(":")[2][:12] or digest[:12]
