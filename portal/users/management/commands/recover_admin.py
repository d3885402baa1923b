"""``manage.py recover_admin NAME``: the way back in for whoever runs the machine."""

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.actor import system
from portal.users.accounts import recover_admin, remove_second_factor
from portal.users.doors import may_use_password
from portal.users.made_up import given_password
from portal.users.models import User


class Command(BaseCommand):
    help = (
        "Make or revive a platform admin when nobody can sign in any more: switched on, with the role and a new password, "
        "which is made up and shown once unless --password-file gives it. All sessions of the account end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="user name; an account of this name is revived, else one is made")
        parser.add_argument(
            "--email", help="mail address of an account that is made (default: NAME@localhost.localdomain)"
        )
        parser.add_argument("--password-file", help="read the password from this file; - for standard input")
        parser.add_argument(
            "--remove-second-factor",
            action="store_true",
            help="take away the authenticator app and the recovery codes too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, actor = options["name"], system("command line")
        password = given_password(options["password_file"], sys.stdin)
        email = options["email"] or f"{name}@localhost.localdomain"
        try:
            validate_password(password, User.objects.filter(username=name).first() or User(username=name, email=email))
            user, is_new = recover_admin(actor, name, email, password)
        except ValidationError as error:
            raise CommandError(f"{name} cannot be made an admin: {' '.join(error.messages)}") from error
        self.stdout.write(f"{'Created' if is_new else 'Revived'} {user}, platform admin.")
        if options["remove_second_factor"] and remove_second_factor(actor, user):
            self.stdout.write("The second factor is removed.")
        if not options["password_file"]:
            self.stdout.write(f"Password (shown once): {password}")
        self.say_what_is_left(user)

    def say_what_is_left(self, user: User) -> None:
        """What would still keep the person out."""
        if not may_use_password(user):
            self.stdout.write(
                f"Passwords are taken from named accounts alone: add {user} to PORTAL_BREAK_GLASS and restart the portal."
            )
        if user.authenticator_set.exists():  # type: ignore[attr-defined]
            self.stdout.write("The second factor is still asked for; --remove-second-factor takes it away.")
        if settings.PORTAL_SECOND_FACTOR_FOR_ROLES and not user.authenticator_set.exists():  # type: ignore[attr-defined]
            self.stdout.write("A second factor has to be set up at the first sign-in.")
