"""One folder per run; what killed runs left is swept, what runs is left alone."""

import os
import time
from pathlib import Path

from portal.demo.workspace import workspace


def make_old(folder: Path) -> None:
    past = time.time() - 3600
    os.utime(folder, (past, past))


def test_the_folder_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with workspace("demo", tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "portreeve-demo-killed"
    left.mkdir()
    (left / ".in-use").touch()
    make_old(left)
    with workspace("demo", tmp_path):
        assert not left.exists()


def test_folders_in_use_young_or_foreign_are_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "portreeve-of-somebody"
    foreign.mkdir()
    make_old(foreign)
    young = tmp_path / "portreeve-demo-young"
    young.mkdir()
    (young / ".in-use").touch()
    with workspace("demo", tmp_path) as running:
        make_old(running)
        with workspace("demo", tmp_path):
            assert running.exists()
            assert foreign.exists()
            assert young.exists()
