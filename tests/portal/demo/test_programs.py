"""What a program complained about, in one sentence."""

import sys

import pytest

from portal.demo.errors import DemoError
from portal.demo.programs import require, run


def test_what_is_given_comes_back() -> None:
    assert run(["cat"], given="hello").or_fail("cat").text == "hello"


def test_a_complaint_is_folded_into_one_line() -> None:
    with pytest.raises(DemoError, match=r"^docker login failed: no such host try another$"):
        run(["sh", "-c", "printf 'no such host\\n\\ttry another\\n' >&2; exit 1"]).or_fail("docker login")


def test_of_a_traceback_the_last_line_counts() -> None:
    ended = run([sys.executable, "-c", "raise ValueError('no such zone')"])
    assert ended.complaint == "ValueError: no such zone"


def test_a_program_that_hangs_is_killed() -> None:
    with pytest.raises(DemoError, match=r"`sleep 60` did not end within 0\.1 s"):
        run(["sleep", "60"], timeout_seconds=0.1)


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(DemoError, match=r"Missing on this machine: no-such-tool\. .* packages: no-such-tool;"):
        require("sh", "no-such-tool")
