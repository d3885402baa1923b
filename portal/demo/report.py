"""What does one see while it runs, and what is left to read?

Progress and tables go to standard error, one line of JSON to standard output.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True)
class StepResult:
    """How one step went. ``said`` is a sentence for people, ``facts`` are values for scripts."""

    name: str
    ok: bool
    seconds: float
    said: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "ok": self.ok, "seconds": round(self.seconds, 3), "said": self.said, **self.facts}


class Report:
    """Prints as things happen, and sums up."""

    def __init__(self, progress: TextIO | None = None, result: TextIO | None = None) -> None:
        self._progress = progress or sys.stderr
        self._result = result or sys.stdout

    def say(self, line: str = "") -> None:
        print(line, file=self._progress, flush=True)

    def step(self, result: StepResult) -> None:
        mark = "ok  " if result.ok else "FAIL"
        self.say(f"{mark} {result.name:<24} {result.seconds:6.1f} s  {result.said}")

    def table(self, title: str, rows: Iterable[Sequence[str]]) -> None:
        """Columns as wide as their widest cell."""
        cells = [tuple(row) for row in rows]
        if not cells:
            return
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        self.say(f"\n{title}")
        for row in cells:
            self.say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def finish(self, results: Sequence[StepResult], total: int) -> bool:
        """The line for scripts. True only when every one of ``total`` steps was played and held."""
        ok = len(results) == total and all(result.ok for result in results)
        print(json.dumps({"ok": ok, "steps": [result.as_json() for result in results]}), file=self._result, flush=True)
        return ok
