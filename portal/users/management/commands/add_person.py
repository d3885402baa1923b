"""``manage.py add_person NAME EMAIL``: an account, its roles and its teams, from a script."""

import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from portal.actor import system
from portal.users.accounts import create_person, join_team
from portal.users.made_up import given_password
from portal.users.models import Role, Team, User


class Command(BaseCommand):
    help = "Create an account with roles and teams. Without --password-file a password is made up and shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="user name, also at registries")
        parser.add_argument("email", help="mail address; taken as verified")
        parser.add_argument(
            "--role", action="append", default=[], choices=Role.values, help="may be given several times"
        )
        parser.add_argument(
            "--team", action="append", default=[], help="name of a team; NAME:maintainer for a maintainer"
        )
        parser.add_argument("--password-file", help="read the password from this file; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        password = given_password(options["password_file"], sys.stdin)
        teams = [self.team(text) for text in options["team"]]
        actor = system("command line")
        try:
            with transaction.atomic():
                roles = tuple(Role(role) for role in options["role"])
                validate_password(password, User(username=options["name"], email=options["email"]))
                user = create_person(actor, options["name"], options["email"], password, roles=roles)
                for team, is_maintainer in teams:
                    join_team(actor, team, user, as_maintainer=is_maintainer)
        except ValidationError as error:
            raise CommandError(f"{options['name']} cannot be created: {' '.join(error.messages)}") from error
        shown = "" if options["password_file"] else f" Password (shown once): {password}"
        self.stdout.write(f"Created {user}.{shown}")

    def team(self, text: str) -> tuple[Team, bool]:
        name, _, role = text.partition(":")
        team = Team.objects.filter(name=name).first()
        if team is None or role not in {"", "maintainer", "member"}:
            raise CommandError(
                f"There is no team {name}." if team is None else f"{role} is neither maintainer nor member."
            )
        return team, role == "maintainer"
