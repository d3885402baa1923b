"""A password for somebody, as commands take it: from a file, from a pipe, or made up."""

import secrets
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError


def given_password(source: str | None, piped: TextIO) -> str:
    """``source`` is a path, ``-`` for the pipe, or nothing for one that is made up. Raises CommandError."""
    if not source:
        return secrets.token_urlsafe(15)
    try:
        return (piped.read() if source == "-" else Path(source).read_text()).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "") or "it is no text"
        raise CommandError(f"{source} cannot be read: {reason}.") from error
