"""What is in this checkout? The files that the guards look at."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOTS = ("portal", "registries", "promotions", "tests")


@cache
def python_files(*roots: str) -> tuple[Path, ...]:
    """Our modules, without what Django writes."""
    return tuple(path for path in _files("*.py", roots or ROOTS) if "migrations" not in path.parts)


@cache
def page_files() -> tuple[Path, ...]:
    """Templates and everything the browser gets from us."""
    patterns = ("*.html", "*.css", "*.js", "*.svg", "*.txt")
    found = (
        path for pattern in patterns for path in _files(pattern, ("templates", "portal", "registries", "promotions"))
    )
    return tuple(path for path in found if {"templates", "static"} & set(path.parts))


def modules(package: str) -> list[str]:
    """Packages and modules right under a package, as imported. Folders without code are no packages."""
    entries = (CHECKOUT / package).iterdir()
    names = {
        path.stem for path in entries if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    }
    return sorted(f"{package}.{name}" for name in names - {"__init__"})


def _files(pattern: str, roots: tuple[str, ...]) -> Iterator[Path]:
    for root in roots:
        yield from sorted((CHECKOUT / root).rglob(pattern))
