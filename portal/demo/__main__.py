"""``python -m portal.demo [--exit] [--port PORT]``: exit 0 when every step held, 1 when one did not."""

import argparse
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from portal.demo.cast import ADMIN
from portal.demo.errors import DemoError, one_line
from portal.demo.portal_server import PortalServer
from portal.demo.ports import Ports
from portal.demo.processes import Interrupted, Processes, interruptible
from portal.demo.programs import require
from portal.demo.report import Report, StepResult
from portal.demo.stage import Stage
from portal.demo.steps import play_steps
from portal.demo.story import STORY
from portal.demo.workspace import workspace

PROGRAMS = ("docker-registry", "docker", "skopeo")
_LOOK_SECONDS = 0.5


def main(arguments: Sequence[str]) -> int:
    options = read_arguments(arguments)
    report = Report()
    results: list[StepResult] = []
    try:
        with interruptible(), ExitStack() as stack:
            require(*PROGRAMS)
            stage = set_stage(stack, report, options.port)
            held = tell(stage, results)
            if held and not options.exit:
                stay_up(stage)
            return 0 if held else 1
    except DemoError as error:
        report.say(one_line(str(error)))
        if not results:
            report.finish(results, len(STORY))
        return 1
    except Interrupted:
        report.say("Stopped; everything is removed.")
        return 0 if not options.exit else 1


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Plays the main job on nine real registries.")
    parser.add_argument("--exit", action="store_true", help="stop at the end instead of staying up")
    parser.add_argument("--port", type=int, default=0, help="port of the portal (default: a free one)")
    return parser.parse_args(arguments)


def set_stage(stack: ExitStack, report: Report, port: int) -> Stage:
    """Left in reverse: first the servers stop, then their ports are free, then the folder goes."""
    folder = stack.enter_context(workspace("demo"))
    ports = stack.enter_context(Ports())
    processes = stack.enter_context(Processes(folder / "log"))
    # Registries are told where the portal is, so its port is chosen before they start.
    portal = PortalServer(
        folder / "portal", ports.take(port), {"PORTAL_SYNC_SECONDS": "5", "PORTAL_HEALTH_SECONDS": "5"}
    )
    stage = Stage(folder, ports, processes, report, portal)
    stage.passwords[ADMIN] = secrets.token_urlsafe(12)
    return stage


def tell(stage: Stage, results: list[StepResult]) -> bool:
    """Plays the story; the table for people, then the line for scripts. True when all of it held."""
    results += play_steps(STORY, stage, stage.report, stage.processes.check)
    show(stage, results)
    return stage.report.finish(results, len(STORY))


def show(stage: Stage, results: Sequence[StepResult]) -> None:
    stage.report.table(
        "What happened", [(result.name, "ok" if result.ok else "FAILED", result.said) for result in results]
    )
    if not all(result.ok for result in results):
        return
    places = [("portal", stage.portal.url), ("admin", f"{stage.portal.url}/admin/")]
    places += [(registry.name, registry.url) for registry in stage.registries.values()]
    stage.report.table("Where to look", places)
    stage.report.table("Who can sign in", stage.passwords.items())


def stay_up(stage: Stage) -> None:
    """Until Ctrl-C, or until one of the servers dies."""
    stage.report.say("\nEverything stays up until Ctrl-C.")
    while True:
        stage.processes.check()
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
