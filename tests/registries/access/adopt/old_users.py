"""A registry that people already use: its users with the passwords they have always had, at the lowest cost bcrypt has."""

from datetime import datetime, timedelta
from functools import lru_cache

import bcrypt
from django.utils import timezone

from registries.access.adopt.htpasswd import read_htpasswd
from registries.access.adopt.import_users import Wish, import_users
from registries.access.adopt.models import ImportedLogin
from registries.access.models import RobotAccount
from registries.topology.models import Reach, Registry
from tests.registries.access.cast import ADMIN, Login, make_registry, make_team

PASSWORD = "old secret: of 2019"


@lru_cache
def hashed(password: str, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode().replace("$2b", "$2y", 1)


def htpasswd_of(*usernames: str, password: str = PASSWORD, cost: int = 4) -> bytes:
    return "".join(f"{name}:{hashed(password, cost)}\n" for name in usernames).encode()


def make_old_registry(name: str = "ci-snapshots", kind: str = "", **fields: object) -> Registry:
    """Not enforced yet, and with a key already, so that its tokens can be asked for."""
    registry = make_registry(name, kind)
    Registry.objects.filter(pk=registry.pk).update(reach=Reach.OBSERVED, **fields)
    registry.refresh_from_db()
    return registry


def make_login(
    registry: Registry, username: str = "payments-ci", kind: str = "ci", *, password: str = PASSWORD, cost: int = 4,
    expires_at: datetime | None = None, robot: RobotAccount | None = None,
) -> ImportedLogin:  # fmt: skip
    found = read_htpasswd(htpasswd_of(username, password=password, cost=cost))
    ends = expires_at or timezone.now() + timedelta(days=90)
    import_users(ADMIN, registry, found, Wish(ends, None if robot else make_team("payments"), kind, robot))
    return ImportedLogin.objects.get(registry=registry, username=username)


def old_login(username: str = "payments-ci", password: str = PASSWORD) -> Login:
    """What is stored in the settings of a job."""
    return Login(username, password)
