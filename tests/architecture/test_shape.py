"""A module is named by its verb or noun, and small enough to be read."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import CHECKOUT, page_files, python_files

LINES_AT_MOST = 500
DJANGOS_OWN = {"management", "commands", "templatetags"}
CATCH_ALLS = {"utils", "helpers", "services", "common", "core", "misc"}
# Of an attribute that loads something, or of a style sheet's url(): what a page fetches by itself.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|audio|video|embed|object|use|image)\b[^>]*?\b(?:src|href|data|srcset)\s*=\s*["']?(?P<tag>[^"'\s>]+)"""
    r"""|<link\b[^>]*?\bhref\s*=\s*["']?(?P<link>[^"'\s>]+)"""
    r"""|url\(\s*["']?(?P<url>[^"')\s]+)|@import\s+["'](?P<imported>[^"']+)""",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"""(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}[^\s"'<>)]*""", re.IGNORECASE)
QUOTED = re.compile(r"""["'`](https?://[^"'`]+)""")
NAMESPACES = ("http://www.w3.org/", "https://www.w3.org/")


def relative(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def test_no_file_is_longer_than_can_be_read() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in python_files()}
    assert not {name: length for name, length in lengths.items() if length > LINES_AT_MOST}


def test_no_module_is_a_catch_all() -> None:
    named = {relative(path) for path in python_files() if {path.stem, *path.parts} & CATCH_ALLS}
    assert not named


def test_a_package_says_its_question() -> None:
    """Folders of Django's own making have nothing to say."""
    packages = {path for path in python_files() if path.name == "__init__.py" and path.parent.name not in DJANGOS_OWN}
    assert not {relative(path) for path in packages if not path.read_text().lstrip().startswith('"""')}


@pytest.mark.parametrize("path", page_files(), ids=relative)
def test_no_page_loads_from_a_foreign_host(path: Path) -> None:
    """What a person may click on is another matter; what the browser fetches comes from us."""
    text = path.read_text()
    addresses = {value for match in LOADED.finditer(text) for value in match.groups() if value}
    if path.suffix == ".js":  # a script may fetch whatever address it holds
        addresses |= set(QUOTED.findall(text))
    assert not {address for address in addresses if ADDRESS.match(address) and not address.startswith(NAMESPACES)}


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//fonts.example/a.css>",
        "<style>body { background: url(http://img.example/a.png) }</style>",
        '@import "https://fonts.example/a.css";',
    ],
)
def test_the_guard_against_foreign_hosts_can_fail(page: str) -> None:
    match = LOADED.search(page)
    assert match is not None
    assert any(value and ADDRESS.match(value) for value in match.groups())
