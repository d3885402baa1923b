"""The story stops at the first step that does not hold, and tells the reason that explains most."""

import io
import json

from portal.demo.errors import DemoError
from portal.demo.report import Report
from portal.demo.steps import Said, Step, play_steps

Played = list[str]


def step(name: str, failure: str = "") -> Step[Played]:
    def play(played: Played) -> Said:
        played.append(name)
        if failure:
            raise DemoError(failure)
        return Said(f"{name} went well", {"digest": "sha256:0"})

    return Step(name, play)


def all_well() -> None:
    """No server has died."""


def one_dead() -> None:
    raise DemoError("prod was killed by SIGKILL without a word.")


def tell(*steps: Step[Played], is_well: object = all_well) -> tuple[Played, list[dict[str, object]], bool, str]:
    played: Played = []
    progress, result = io.StringIO(), io.StringIO()
    report = Report(progress, result)
    assert callable(is_well)
    results = play_steps(steps, played, report, is_well)
    ok = report.finish(results, len(steps))
    line = json.loads(result.getvalue())
    assert line["ok"] is ok
    return played, line["steps"], ok, progress.getvalue()


def test_a_story_that_holds_is_told_whole() -> None:
    played, steps, ok, progress = tell(step("one"), step("two"))
    assert (played, ok) == (["one", "two"], True)
    assert [(entry["name"], entry["ok"], entry["digest"]) for entry in steps] == [
        ("one", True, "sha256:0"),
        ("two", True, "sha256:0"),
    ]
    assert "two went well" in progress


def test_what_follows_a_failure_is_not_played() -> None:
    played, steps, ok, progress = tell(step("one"), step("two", "no\n such tag"), step("three"))
    assert (played, ok) == (["one", "two"], False)
    assert steps[-1]["said"] == "no such tag"
    assert "FAIL two" in progress


def test_a_dead_server_is_the_better_reason() -> None:
    _, steps, ok, _ = tell(step("one", "connection refused"), is_well=one_dead)
    assert not ok
    assert steps[0]["said"] == "prod was killed by SIGKILL without a word."


def test_a_server_that_died_during_a_good_step_is_noticed() -> None:
    _, steps, ok, _ = tell(step("one"), step("two"), is_well=one_dead)
    assert not ok
    assert [entry["ok"] for entry in steps] == [False]
