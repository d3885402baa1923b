"""Docs that lie are worse than none: every command in them exists and takes what they give it, every link leads somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from portal.env import KNOWN

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
INLINE = re.compile(r"`(manage\.py [^`]+)`")
# Placeholders that people replace, and what the check puts in their place.
STAND_INS = {
    "WHO": "alice",
    "ACTION": "pull",
    "REGISTRY/REPOSITORY": "prod/app",
    "REGISTRY": "prod",
    "FILE": "file.yaml",
}


def commands(text: str) -> Iterator[list[str]]:
    """``manage.py`` command lines of a page: in fences and in single quotes of code."""
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
    for line in [*lines, *INLINE.findall(FENCE.sub("", text))]:
        words = shlex.split(line, comments=True)
        if words and words[0].endswith("python"):
            words = words[1:]
        if len(words) > 1 and words[0] == "manage.py":
            yield [STAND_INS.get(word, word) for word in words[1:]]


def all_commands() -> list[tuple[str, list[str]]]:
    return [(page.relative_to(ROOT).as_posix(), words) for page in PAGES for words in commands(page.read_text())]


def test_there_is_something_to_check() -> None:
    assert len(all_commands()) > 8


@pytest.mark.parametrize(
    ("page", "words"), all_commands(), ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_a_command_exists_and_takes_its_arguments(page: str, words: list[str]) -> None:
    known = get_commands()
    assert words[0] in known, f"{page} names manage.py {words[0]}, which there is not"
    if "|" in " ".join(words):  # a line that lists alternatives is checked by its parts elsewhere
        words = [word.split("|")[0] for word in words]
    if len(words) == 1:  # named in running text, not given to be typed
        return
    load_command_class(known[words[0]], words[0]).create_parser("manage.py", words[0]).parse_args(words[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    missing = [
        target
        for target in LINK.findall(page.read_text())
        if not target.startswith(("http://", "https://", "mailto:")) and not (page.parent / target).exists()
    ]
    assert not missing


def test_every_setting_is_described() -> None:
    pages = [(ROOT / "docs" / name).read_text() for name in ("install.md", "signin.md")]
    described = set(re.findall(r"`([A-Z][A-Z_]+)`", "".join(pages)))
    internal = {"PORTAL_FACE"}  # set by portal.token_wsgi, not by people
    assert KNOWN - internal <= described


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    single = {name for group in targets for name in group.split()}
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= single


def test_the_example_topology_reads() -> None:
    document = yaml.safe_load((ROOT / "docs/examples/topology.yaml").read_text())
    assert len(document["registries"]) == 9
