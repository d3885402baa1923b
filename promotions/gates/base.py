"""What does a check look at, and what does it answer? Values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from registries.oci.digest import Digest

Parameters = Mapping[str, Any]


class Status(StrEnum):
    """What a gate found. Only PASS lets an artifact through; PENDING may pass later by itself; ERROR could not be evaluated."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    PENDING = "pending"
    ERROR = "error"


class ParameterError(ValueError):
    """The parameters of a gate cannot be used; the sentence names the parameter and what it should be."""


@dataclass(frozen=True)
class ImageEvidence:
    """What is known about one artifact. ``platforms`` and labels leave attestations out; ``unread`` are the platforms whose
    manifests have not been read yet, so that nothing may be concluded from their missing labels."""

    repository: str
    digest: Digest
    source_tag: str
    target_tags: tuple[str, ...]
    kind: str
    platforms: tuple[str, ...]
    labels_by_platform: Mapping[str, Mapping[str, str]]
    annotations: Mapping[str, str]
    size_bytes: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """``summary`` is one sentence; ``evidence`` lists what was looked at; ``remediation`` says what would make it pass."""

    status: Status
    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Mapping[str, str], ...] = ()
    remediation: str = ""


class Gate(Protocol):
    """One check. ``check_parameters`` raises ParameterError; ``evaluate`` may trust what that let through."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def check_parameters(self, parameters: Parameters) -> None: ...

    def evaluate(self, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict: ...
