"""``make bench-token``: what does the token endpoint cost beside an empty view? PostgreSQL, real gunicorn workers, 10,000 robots.

Two portals run, one with 20,000 rules and one with 100; they and the empty view are measured in turns, so that a busy machine is busy
for all of them. Figures are ratios within one run; the last line of standard output is one JSON object with them."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from portal.demo.errors import DemoError
from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes, http_answers, interruptible
from portal.demo.programs import run
from portal.demo.workspace import workspace
from tests.bench.token_load import Outcome, Plan
from tests.bench.token_rows import HOST, ROBOTS
from tests.real.postgres import postgres_cluster

WORKERS, THREADS, CONNECTIONS = 2, 2, 16
ROUNDS, WARM_SECONDS, SECONDS = 5, 0.5, 2.5
SMALL, LARGE = 100, 20_000
_BARE = "bare"


@dataclass(frozen=True)
class Target:
    """Something to put load on: a server's ports, one for each worker, and a file of requests."""

    name: str
    ports: tuple[int, ...]
    requests: Path


def main() -> int:
    with interruptible(), workspace("bench-token") as folder, postgres_cluster() as url, Ports() as ports:
        _say(f"{_versions()}; {WORKERS} workers of {THREADS} threads, {CONNECTIONS} connections, {ROBOTS} robots")
        small, large = _environment(folder, url, "small"), _environment(folder, url, "large")
        _prepare(folder, url, small, large)
        queries = json.loads(_python(large, "tests.bench.token_queries", str(folder / "ES256")))
        _say(f"queries of a warm request: {queries}")
        with _servers(folder, ports, small, large) as (small_ports, large_ports):
            figures = _measure(folder, small_ports, large_ports)
    figures["queries_per_request"] = max(queries.values())
    sys.stdout.write(json.dumps({"bench": "token", "figures": figures}) + "\n")
    return 0


def _measure(folder: Path, small_ports: tuple[int, ...], large_ports: tuple[int, ...]) -> dict[str, float]:
    bare = Target(_BARE, large_ports, folder / _BARE)
    large = Target(f"token, {LARGE} rules", large_ports, folder / "ES256")
    small = Target(f"token, {SMALL} rules", small_ports, folder / "ES256")
    rsa = Target("token, RS256", large_ports, folder / "RS256")
    peak = _in_turns(bare, large, small, rsa)
    paced = _in_turns(bare, large, rate=median(_rates(peak[large])) / 2)
    _say(f"RS256 over the bare view: {_ratio(_rates(peak[rsa]), _rates(peak[bare]))}")
    runs = [outcome for outcomes in (*peak.values(), *paced.values()) for outcome in outcomes]
    return {
        "rate_vs_bare_view": _ratio(_rates(peak[large]), _rates(peak[bare])),
        "rate_20000_rules_vs_100": _ratio(_rates(peak[large]), _rates(peak[small])),
        "p99_at_half_rate_vs_bare_view": _ratio(_slowest(paced[large]), _slowest(paced[bare])),
        "errors": sum(outcome.errors for outcome in runs),
    }


def _in_turns(*targets: Target, rate: float = 0.0) -> dict[Target, list[Outcome]]:
    found: dict[Target, list[Outcome]] = {target: [] for target in targets}
    for turn in range(ROUNDS):
        for target in targets:
            found[target].append(_load(target, turn, rate))
    return found


def _load(target: Target, turn: int, rate: float = 0.0) -> Outcome:
    plan = Plan(
        LOOPBACK, list(target.ports), str(target.requests), turn * 1777, CONNECTIONS, WARM_SECONDS, SECONDS, rate
    )
    given = json.dumps(asdict(plan))
    outcome = Outcome(**json.loads(_python(dict(os.environ), "tests.bench.token_load", given=given)))
    how = f"{rate:.0f}/s" if rate else "peak"
    _say(
        f"{target.name}, {how}, round {turn + 1}: {outcome.answers / outcome.seconds:.0f}/s, "
        f"p50 {outcome.p50_ms} ms, p99 {outcome.p99_ms} ms, {outcome.errors} errors"
        f"{outcome.first_error and f' ({outcome.first_error!r})'}"
    )
    return outcome


def _rates(outcomes: list[Outcome]) -> list[float]:
    return [outcome.answers / outcome.seconds for outcome in outcomes]


def _slowest(outcomes: list[Outcome]) -> list[float]:
    return [outcome.p99_ms for outcome in outcomes]


def _ratio(over: list[float], under: list[float]) -> float:
    """The median of the rounds' ratios: the two of a round were measured one right after the other."""
    return round(median(a / b for a, b in zip(over, under, strict=True)), 3)


def _environment(folder: Path, url: str, database: str) -> dict[str, str]:
    """Of a portal of its own; nothing of the person's portal comes in."""
    foreign = ("PORTAL_", "DJANGO_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return env | {
        "PORTAL_HOME": str(folder),
        "PORTAL_SECRET_KEY": "known-to-everybody-and-good-for-benchmarks-alone",
        "PORTAL_ENCRYPTION_KEYS": "a25vd24tdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI=",
        "PORTAL_BASE_URL": f"http://{HOST}:8000",
        "DATABASE_URL": url.rsplit("/", 1)[0] + f"/{database}",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }


def _prepare(folder: Path, url: str, small: dict[str, str], large: dict[str, str]) -> None:
    import psycopg

    (folder / _BARE).write_text(json.dumps(f"GET /bare HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n") + "\n")
    with psycopg.connect(url, autocommit=True) as cluster:
        cluster.execute("CREATE DATABASE small")
        _run([sys.executable, "manage.py", "migrate", "--verbosity=0"], small)
        _python(small, "tests.bench.token_rows", str(folder), str(SMALL))
        cluster.execute("CREATE DATABASE large TEMPLATE small")
        _python(large, "tests.bench.token_rows", str(folder), str(LARGE))
    for env in (small, large):
        with psycopg.connect(env["DATABASE_URL"], autocommit=True) as database:
            database.execute("VACUUM ANALYZE")


@contextmanager
def _servers(folder: Path, ports: Ports, *environments: dict[str, str]) -> Iterator[list[tuple[int, ...]]]:
    """A port for each worker, between which the load is divided evenly: workers that share one take what chance gives them."""
    taken = [tuple(ports.take() for _ in range(WORKERS)) for _ in environments]
    with Processes(folder / "log") as processes:
        for env, its_ports in zip(environments, taken, strict=True):
            for port in its_ports:
                command = [sys.executable, "-m", "gunicorn", "tests.bench.token_site", f"--bind={LOOPBACK}:{port}"]
                command += ["--workers=1", f"--threads={THREADS}", "--keep-alive=30", "--no-control-socket"]
                running = processes.start(f"tokens-{port}", command, env=env)
                processes.wait_for(running, partial(http_answers, LOOPBACK, port, "/readyz"), deadline_seconds=60)
        yield taken
        processes.check()


def _python(env: dict[str, str], module: str, *arguments: str, given: str | None = None) -> str:
    return _run([sys.executable, "-m", module, *arguments], env, given)


def _run(command: list[str], env: dict[str, str], given: str | None = None) -> str:
    return run(command, env=env, given=given, timeout_seconds=300).or_fail(command[2]).text


def _versions() -> str:
    parts = [f"{name} {version(name)}" for name in ("Django", "gunicorn", "psycopg", "PyJWT", "cryptography")]
    return f"Python {platform.python_version()}, {', '.join(parts)}, {os.cpu_count()} processors"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        sys.exit(str(error))
