"""All migrations of access, and those of this folder after them."""

from registries.access import migrations

__path__ = [*__path__, *migrations.__path__]
