"""``manage.py topology plan|apply|export FILE``: the map as a file under version control."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.actor import system
from registries.topology.file import (
    Change,
    TopologyFileError,
    apply_topology,
    export_topology,
    read_topology,
    rehearse_topology,
)


class Command(BaseCommand):
    help = "Compare a topology file with what is there (plan), make it so (apply), or write what is there (export)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["plan", "apply", "export"])
        parser.add_argument("file", help="the file; - for standard input or output")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "export":
            self.export(options["file"])
            return
        try:
            wanted = read_topology(self.read(options["file"]))
            is_plan = options["verb"] == "plan"
            changes = rehearse_topology(wanted) if is_plan else apply_topology(system("topology"), wanted)
        except TopologyFileError as error:
            raise CommandError("\n".join(error.findings)) from error
        self.show(changes, is_done=options["verb"] == "apply")

    def read(self, name: str) -> str:
        try:
            return sys.stdin.read() if name == "-" else Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{name} cannot be read: {error}.") from error

    def export(self, name: str) -> None:
        text = export_topology()
        if name == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(name).write_text(text)
        except OSError as error:
            raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Wrote {name}.")

    def show(self, changes: list[Change], *, is_done: bool) -> None:
        for change in changes:
            self.stdout.write(str(change))
        count = sum(change.verb != "leave" for change in changes)
        if is_done:
            self.stdout.write(f"{count} entries changed." if count else "Nothing to change.")
        else:
            self.stdout.write(f"{count} entries would change; apply makes it so." if count else "Nothing would change.")
