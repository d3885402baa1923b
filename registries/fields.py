"""Columns that compare by bytes on every database: names are case-sensitive, digests exact."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import BuiltinLookup

from registries.oci.digest import Digest, InvalidDigest

_LAST = "\U0010ffff"
_BYTEWISE = {"postgresql": "C", "sqlite": "BINARY"}


class NameField(models.CharField[str, str]):
    """A name as a registry spells it: case kept, compared and sorted by bytes."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        parameters["collation"] = _BYTEWISE.get(connection.vendor)
        return parameters


class DigestField(models.CharField[Any, Any]):
    """``algorithm:hex``; rows give back :class:`registries.oci.digest.Digest` values, and "" where there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 135)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        parameters["collation"] = _BYTEWISE.get(connection.vendor)
        return parameters

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return Digest.parse(value) if value else value

    def to_python(self, value: Any) -> Any:
        if not value or isinstance(value, Digest):
            return value
        try:
            return Digest.parse(str(value).strip())
        except InvalidDigest as error:
            raise ValidationError(str(error)) from error

    def get_prep_value(self, value: Any) -> Any:
        return str(self.to_python(value)) if value else value


@NameField.register_lookup
@DigestField.register_lookup
class Prefix(BuiltinLookup[Any]):
    """``name__prefix="team/"`` as a range over bytes: exact about case where LIKE is not, and served by the index."""

    lookup_name = "prefix"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        left, left_parameters = self.process_lhs(compiler, connection)
        start = str(self.rhs)
        if not start:
            return f"{left} IS NOT NULL", list(left_parameters)
        end = _after(start)
        if end is None:
            return f"{left} >= %s", [*left_parameters, start]
        return f"({left} >= %s AND {left} < %s)", [*left_parameters, start, *left_parameters, end]


def _after(prefix: str) -> str | None:
    """The smallest text that is greater than every text with the prefix; None where there is none."""
    kept = prefix.rstrip(_LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    # Between these lie halves of characters, which are no text by themselves.
    return kept[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)
