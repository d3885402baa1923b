"""A section whose entries are the rows of one model."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from portal.actor import Actor
from registries.topology.sections import Field, Values


class RowSection:
    """``links`` are fields that name a row of another model; ``columns`` gives the model's name of a field where it differs."""

    name: str
    model: ClassVar[type[Model]]
    fields: Mapping[str, Field]
    links: ClassVar[Mapping[str, type[Model]]] = {}
    columns: ClassVar[Mapping[str, str]] = {}

    def complete(self, key: str, values: Values) -> Values:
        return values

    def rank(self, values: Values) -> int:
        return 0

    def key_of(self, row: Any) -> str:
        """The entry's name in the file."""
        return str(row.name)

    def find(self, key: str) -> Model | None:
        """The row of an entry that is there already."""
        return self.model._default_manager.filter(name=key).first()

    def blank(self, key: str) -> Model:
        """A new row for an entry."""
        return self.model(name=key)

    def current(self) -> dict[str, Values]:
        rows = self.model._default_manager.select_related(*self.links)
        return {self.key_of(row): {name: self.read(row, name) for name in self.fields} for row in rows}

    def read(self, row: Any, name: str) -> Any:
        """One field of a row as the file writes it."""
        value = getattr(row, self.columns.get(name, name))
        if name in self.links:
            return value.name if value else ""
        return value

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        save_valid(self.find(key) or self.blank(key), self.columns_of(values))

    def columns_of(self, values: Values) -> Values:
        """Model field -> value, with names resolved to rows."""
        return {
            self.columns.get(name, name): named(self.links[name], value, name) if name in self.links else value
            for name, value in values.items()
        }


def save_valid(row: Model, values: Mapping[str, Any]) -> None:
    """Set fields, validate the whole row, save it. Raises ValidationError."""
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()


def named(model: type[Model], name: str, field: str) -> Model | None:
    """The row of that name, None for an empty name; raises ValidationError on an unknown one."""
    if not name:
        return None
    row = model._default_manager.filter(name=name).first()
    if row is None:
        raise ValidationError({field: f"There is no {model._meta.verbose_name} named {name}."})
    return row
