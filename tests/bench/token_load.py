"""Load from a process of its own: many connections that stay open, in one thread, over plain sockets.

Reads one JSON object from standard input (the fields of :class:`Plan`), writes one to standard output (those of :class:`Outcome`)."""

import json
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
# An answer that takes longer counts as an error.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Plan:
    """``requests`` is a file with one header block in JSON per line. Without a rate each connection asks again as soon as it has its
    answer; with one (requests per second) each request has its time, and its latency counts from then, waiting included."""

    host: str
    ports: list[int]
    requests: str
    skip: int
    connections: int
    warm_seconds: float
    seconds: float
    rate: float = 0.0


@dataclass
class Outcome:
    """What came back in the measured time, the warm-up left out. Errors are counted over all of it."""

    answers: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    first_error: str = ""


class Line:
    """One connection and the answer it is waiting for."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        self.socket = socket.create_connection((host, port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due_at = 0.0
        self._found = b""

    def ask(self, request: bytes, due_at: float) -> None:
        self.due_at, self._found = due_at, b""
        self.socket.sendall(request)

    def read(self) -> bytes | None:
        """The whole answer, or None while more is to come. Raises ConnectionError when there is none to come."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection before it answered")
        self._found += part
        head, end, body = self._found.partition(_HEAD_END)
        return self._found if end and len(body) >= _length(head) else None


class Load:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.errors, self.first_error = 0, ""
        self.latencies: list[float] = []
        self._selector = selectors.DefaultSelector()
        self._idle = deque(self._connect(plan.ports[turn % len(plan.ports)]) for turn in range(plan.connections))
        self._requests = _requests(plan)
        self._waiting = 0

    def run(self) -> Outcome:
        start = time.perf_counter()
        self._measured_from = start + self.plan.warm_seconds
        end = self._measured_from + self.plan.seconds
        due = self._times(start)
        next_due = next(due)
        while (now := time.perf_counter()) < end:
            while self._idle and next_due <= now:
                self._send(next_due if self.plan.rate else now)
                next_due = next(due)
            self._receive(min(end, next_due if self._idle else end) - now)
        self._drain(end + PATIENCE_SECONDS)
        return self._outcome()

    def _times(self, start: float) -> Iterator[float]:
        """When the next request is due; at once where there is no rate."""
        step = 1 / self.plan.rate if self.plan.rate else 0.0
        count = 0
        while True:
            yield start + count * step
            count += 1

    def _send(self, due_at: float) -> None:
        line = self._idle.popleft()
        self._waiting += 1
        try:
            line.ask(next(self._requests), due_at)
        except OSError as error:
            self._fail(line, str(error))

    def _receive(self, patience: float) -> None:
        for key, _ in self._selector.select(max(patience, 0)):
            line: Line = key.data
            try:
                answer = line.read()
            except OSError as error:
                self._fail(line, str(error))
                continue
            if answer is not None:
                self._done(line, answer)

    def _done(self, line: Line, answer: bytes) -> None:
        now = time.perf_counter()
        self._waiting -= 1
        self._idle.append(line)
        if not answer.startswith(b"HTTP/1.1 200 "):
            self._count_error(answer[:200].decode("latin-1"))
        elif now >= self._measured_from:
            self.latencies.append(now - line.due_at)

    def _fail(self, line: Line, why: str) -> None:
        """Counted, and another connection takes its place."""
        self._count_error(why)
        self._waiting -= 1
        self._selector.unregister(line.socket)
        line.socket.close()
        self._idle.append(self._connect(line.port))

    def _count_error(self, why: str) -> None:
        self.errors += 1
        self.first_error = self.first_error or why

    def _connect(self, port: int) -> Line:
        line = Line(self.plan.host, port)
        self._selector.register(line.socket, selectors.EVENT_READ, line)
        return line

    def _drain(self, deadline: float) -> None:
        """Answers still on their way count as errors if they never come, and as nothing else."""
        counted = len(self.latencies)
        while self._waiting and time.perf_counter() < deadline:
            self._receive(deadline - time.perf_counter())
        if self._waiting:
            self._count_error(f"{self._waiting} requests were never answered")
        del self.latencies[counted:]

    def _outcome(self) -> Outcome:
        ordered = sorted(self.latencies)
        return Outcome(
            answers=len(ordered),
            seconds=self.plan.seconds,
            errors=self.errors,
            p50_ms=_percentile(ordered, 50),
            p99_ms=_percentile(ordered, 99),
            first_error=self.first_error,
        )


def _percentile(ordered: list[float], percent: int) -> float:
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000, 3) if ordered else 0.0


def _length(head: bytes) -> int:
    place = head.lower().find(_LENGTH)
    if place < 0:
        raise ConnectionError("the answer does not say how long it is")
    return int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _requests(plan: Plan) -> Iterator[bytes]:
    """Over and over, from the one after those that an earlier run has used."""
    known = [json.loads(line).encode() for line in Path(plan.requests).read_text().splitlines()]
    start = plan.skip % len(known)
    return cycle(known[start:] + known[:start])


if __name__ == "__main__":
    json.dump(asdict(Load(Plan(**json.load(sys.stdin))).run()), sys.stdout)
