"""``manage.py setup``: from nothing to a portal that can be started."""

import getpass
import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from portal.actor import system
from portal.users.accounts import create_person
from portal.users.models import Role, User


class Command(BaseCommand):
    help = (
        "Create secrets (once), bring the database up to date, create the first admin, and check what the portal needs."
    )
    # The database may not exist yet, and checks that read it would fail before it is made.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--admin", default="admin", help="user name of the first admin (default: admin)")
        parser.add_argument("--email", help="the admin's mail address (default: NAME@localhost.localdomain)")
        parser.add_argument("--password-file", help="read the admin's password from this file; - for standard input")
        parser.add_argument("--no-admin", action="store_true", help="create no admin")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_database()
        call_command("migrate", interactive=False, verbosity=0)
        self.say("Database", f"up to date ({connection.vendor})")
        if not options["no_admin"]:
            self.first_admin(options)
        self.check_broker()
        self.stdout.write(f"\nStart the portal with:  manage.py serve\nThen open {settings.PORTAL_BASE_URL}")

    def say(self, what: str, how: str) -> None:
        self.stdout.write(f"{what + ':':12} {how}")

    def check_database(self) -> None:
        settings.PORTAL_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as error:
            raise CommandError(f"The database of DATABASE_URL does not answer: {error}") from error

    def check_broker(self) -> None:
        if settings.IS_EMBEDDED:
            self.say("Broker", "embedded (jobs run inside manage.py serve)")
            return
        from celery import current_app
        from kombu.exceptions import OperationalError

        try:
            with current_app.connection_for_write() as link:
                link.ensure_connection(max_retries=1, timeout=5)
        except (OperationalError, OSError) as error:
            raise CommandError(f"The broker of CELERY_BROKER_URL does not answer: {error}") from error
        self.say("Broker", "answers")

    def first_admin(self, options: dict[str, Any]) -> None:
        if User.objects.filter(is_superuser=True, is_active=True).exists():
            self.say("Admin", "there is one already; nothing changed")
            return
        password, is_made = self.password(options)
        email = options["email"] or f"{options['admin']}@localhost.localdomain"
        try:
            validate_password(password, User(username=options["admin"], email=email))
            create_person(
                system("setup"), options["admin"], email, password, roles=(Role.PLATFORM_ADMIN,), is_superuser=True
            )
        except ValidationError as error:
            raise CommandError(f"The admin cannot be created: {' '.join(error.messages)}") from error
        self.say("Admin", options["admin"] + (f", password (shown once): {password}" if is_made else ""))

    def password(self, options: dict[str, Any]) -> tuple[str, bool]:
        """The password, and whether we made it up."""
        source = options["password_file"]
        if source:
            try:
                return (sys.stdin.read() if source == "-" else Path(source).read_text()).strip(), False
            except OSError as error:
                raise CommandError(f"{source} cannot be read: {error.strerror}.") from error
        if sys.stdin.isatty():
            given = getpass.getpass(f"Password for {options['admin']} (empty: make one up): ")
            if given:
                return given, False
        return secrets.token_urlsafe(15), True
