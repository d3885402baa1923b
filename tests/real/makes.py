"""Makes of registry that Debian has no package of. They are found on PATH, or where a variable says; without them their tests are skipped.

TEST_DISTRIBUTION3 is the path of a CNCF Distribution 3 server, TEST_ZOT that of zot. Any machine with Go has the first by
``go install github.com/distribution/distribution/v3/cmd/registry@v3.1.1``."""

import os
import shutil

from portal.demo.programs import run

_PROGRAMS = {"distribution3": ("TEST_DISTRIBUTION3", "registry"), "zot": ("TEST_ZOT", "zot")}


def find_make(make: str) -> str:
    """The path of the program, or nothing."""
    variable, program = _PROGRAMS[make]
    path = os.environ.get(variable) or shutil.which(program) or ""
    # Other programs are called registry too, and Distribution 2 among them.
    if path and make == "distribution3" and " v3." not in run([path, "--version"]).text:
        return ""
    return path


def why_absent(make: str) -> str:
    """Why there is none, or nothing."""
    variable, program = _PROGRAMS[make]
    return "" if find_make(make) else f"{make} is not here: no {program} on PATH, and {variable} names none"
