"""Dependencies fall: the contracts hold, and no package is left out of them."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import CHECKOUT, modules, python_files

CONTRACTS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = [
    module.strip(" ()")
    for contract in CONTRACTS
    if contract["type"] == "layers"
    for layer in contract["layers"]
    for module in layer.split(":")
]
# Deciders: values and `now` in, a decision with its reasons out.
PURE = {
    "policy.py",
    "matching.py",
    "match.py",
    "diff.py",
    "evaluate.py",
    "closure.py",
    "states.py",
    "rotation_rules.py",
    "rotation_steps.py",
}
WORLD = {"requests", "socket", "os", "time", "random", "subprocess", "celery", "django.db", "django.conf"}
CLOCKS = {"now", "utcnow", "today"}


def test_the_import_contracts_hold() -> None:
    code = "from importlinter.cli import lint_imports_command as run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--no-logo", "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("package", sorted({path.parent for path in python_files() if path.name == "apps.py"}))
def test_every_app_stands_on_a_floor(package: Path) -> None:
    assert ".".join(package.relative_to(CHECKOUT).parts) in LAYERS


@pytest.mark.parametrize("name", modules("portal"))
def test_every_part_of_the_house_stands_on_a_floor(name: str) -> None:
    assert name in LAYERS


def test_the_package_portal_itself_loads_celery_and_nothing_else() -> None:
    tree = ast.parse((CHECKOUT / "portal" / "__init__.py").read_text())
    assert imported(tree) <= {"portal.celery"}


@pytest.mark.parametrize(
    "path",
    [path for path in python_files("registries", "promotions", "portal") if path.name in PURE or "gates" in path.parts],
    ids=str,
)
def test_deciders_are_pure(path: Path) -> None:
    tree = ast.parse(path.read_text())
    worldly = {name for name in imported(tree) if name in WORLD or name.split(".")[0] in WORLD}
    models = {name for name in imported(tree) if name.endswith(".models")}
    clocks = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & CLOCKS
    assert not worldly | models | clocks


def test_one_module_reads_the_environment() -> None:
    """The demo is outside: it hands its environment on to the programs it starts."""
    readers = {
        str(path.relative_to(CHECKOUT))
        for path in python_files("registries", "promotions", "portal")
        if "demo" not in path.parts and reads_environment(ast.parse(path.read_text()))
    }
    assert readers == {"portal/env.py"}


def imported(tree: ast.AST) -> set[str]:
    """Modules that are imported when it runs; what is there for annotations alone does not count."""
    found: set[str] = set()
    skipped = {id(inner) for node in ast.walk(tree) if is_for_types(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def reads_environment(tree: ast.AST) -> bool:
    """Naming the settings for Django, or the face to show, is writing."""
    return any(is_environment(node) for node in ast.walk(tree)) and not all(
        is_written(node)
        for node in ast.walk(tree)
        if any(is_environment(child) for child in ast.iter_child_nodes(node))
    )


def is_environment(node: ast.AST) -> bool:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return False
    return node.value.id == "os" and node.attr in {"environ", "getenv"}


def is_written(parent: ast.AST) -> bool:
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Store)
    return isinstance(parent, ast.Attribute) and parent.attr == "setdefault"
