"""What does an image's config blob tell? Labels, platform, when it was built (image-spec, "OCI Image Configuration")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from registries.oci.digest import Digest, InvalidDigest
from registries.oci.platform import Platform

MAX_CONFIG_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class ImageConfig:
    created: datetime | None = None
    platform: Platform | None = None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    exposed_ports: tuple[str, ...] = ()
    diff_ids: tuple[Digest, ...] = ()
    history: tuple[str, ...] = ()


def parse_config(raw: bytes) -> ImageConfig:
    """Never raises: builders write odd things here, and none of it decides where bytes go.

    `created` may honestly be 1970 (reproducible builds), so it alone is no measure of age.
    """
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return ImageConfig()
    if not isinstance(document, dict):
        return ImageConfig()
    run = _object(document.get("config"))
    return ImageConfig(
        created=_time(document.get("created")),
        platform=_platform(document),
        labels={str(key): text for key, text in _object(run.get("Labels")).items() if isinstance(text, str)},
        user=_text(run.get("User")),
        entrypoint=_texts(run.get("Entrypoint")),
        command=_texts(run.get("Cmd")),
        exposed_ports=tuple(sorted(_object(run.get("ExposedPorts")))),
        diff_ids=_digests(_object(document.get("rootfs")).get("diff_ids")),
        history=tuple(_text(_object(step).get("created_by")) for step in _list(document.get("history"))),
    )


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _platform(document: dict[str, Any]) -> Platform | None:
    system, architecture = _text(document.get("os")), _text(document.get("architecture"))
    if not system or not architecture:
        return None
    return Platform(system, architecture, _text(document.get("variant")))


def _digests(value: object) -> tuple[Digest, ...]:
    try:
        return tuple(Digest.parse(text) for text in _texts(value))
    except InvalidDigest:
        return ()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))
