"""Where do our own secrets rest? Encrypted fields; the keys come from the environment and can be rotated."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UndecryptableError(Exception):
    """A stored secret cannot be read with the keys of PORTAL_ENCRYPTION_KEYS."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The first key encrypts, all of them decrypt."""
    return _cipher(tuple(settings.PORTAL_ENCRYPTION_KEYS))


def decrypted(stored: str) -> str:
    """What a column of encrypted text says, for statements written by hand. Raises UndecryptableError."""
    try:
        return cipher().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableError("None of PORTAL_ENCRYPTION_KEYS fits a stored secret.") from error


class EncryptedTextField(models.TextField[str, str]):
    """Text that is encrypted at rest. It cannot be searched, and it never appears in a form by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        try:
            return decrypted(value)
        except UndecryptableError as error:
            raise UndecryptableError(
                f"A stored {self.model._meta.verbose_name} cannot be decrypted: none of PORTAL_ENCRYPTION_KEYS fits. "
                "Add the key it was stored with."
            ) from error
