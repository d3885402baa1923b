"""``manage.py serve``: the whole portal in one process, nothing else to install or run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from portal.web.embedded import EmbeddedServer, bind_address


class Command(BaseCommand):
    help = "Serve all faces and run all jobs in one process. For more load, run gunicorn and celery as processes of their own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", help="address:port to listen on (default: as in PORTAL_BASE_URL)")
        parser.add_argument("--no-jobs", action="store_true", help="serve pages only; jobs run elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = self.unapplied()
        if missing:
            raise CommandError(f"The database lacks {missing} migrations. Run manage.py setup first.")
        bind = options["bind"] or bind_address()
        self.stdout.write(f"Portreeve listens on {bind}. Stop it with Ctrl-C.")
        # The server forks; neither a connection nor the pool, whose threads stay behind, may be shared across that.
        connections.close_all()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
        EmbeddedServer(bind, with_jobs=not options["no_jobs"]).run()

    def unapplied(self) -> int:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
