"""What can be made of a right answer."""

import json
import threading
from dataclasses import replace

from tests.fakes.scripted_registry import Answer, Fault


def status(code: int, error: str = "", **headers: str) -> Fault:
    """Another status, with an error code of the registry's if given; header names with _ for -."""
    body = json.dumps({"errors": [{"code": error, "message": "as the test wrote"}]}).encode() if error else b""
    return lambda answer: Answer(code, body, {name.replace("_", "-"): value for name, value in headers.items()})


def web_page(code: int = 200) -> Fault:
    return lambda answer: Answer(code, b"<!DOCTYPE html><title>Welcome</title>", {"Content-Type": "text/html"})


def silence() -> Fault:
    """The connection is closed without a word."""
    return lambda answer: Answer(is_silent=True)


def cut(at: int, *, is_announced: bool = True) -> Fault:
    """Only so many bytes come. Without the announced length the end looks like a proper one."""
    length = {} if is_announced else {"Content-Length": ""}
    return lambda answer: replace(answer, headers={**answer.headers, **length}, cut_at=at)


def other_body(body: bytes) -> Fault:
    return lambda answer: replace(answer, body=body)


def header(name: str, value: str) -> Fault:
    """One header more or another value; an empty one takes it away."""
    return lambda answer: replace(answer, headers={**answer.headers, name: value})


def redirect(url: str, code: int = 307) -> Fault:
    return lambda answer: Answer(code, headers={"Location": url})


class Stall:
    """A fault that answers only when the test says so."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, answer: Answer) -> Answer:
        self.reached.set()
        self.go_on.wait(30)
        return answer
