"""What was the portal told from outside? The only reader of ``os.environ``.

Values come from the environment, else from ``portal.env`` in the portal's home folder (written by ``manage.py setup``).
Every secret may instead be given as ``NAME_FILE``, the path of a file that holds it. Unknown ``PORTAL_*`` names are refused,
because a misspelt setting that is silently ignored is worse than no setting."""

import binascii
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from portal.networks import parse_networks

CHECKOUT = Path(__file__).resolve().parent.parent
KNOWN = {
    "PORTAL_SECRET_KEY", "PORTAL_ENCRYPTION_KEYS", "PORTAL_BASE_URL", "PORTAL_TRUSTED_PROXIES", "PORTAL_HOME",
    "PORTAL_DEBUG", "PORTAL_FACE", "PORTAL_THREADS", "PORTAL_SYNC_SECONDS", "PORTAL_HEALTH_SECONDS", "PORTAL_TOKEN_ISSUER",
    # Who may come in; docs/signin.md.
    "PORTAL_OIDC_ISSUER", "PORTAL_OIDC_CLIENT_ID", "PORTAL_OIDC_CLIENT_SECRET", "PORTAL_OIDC_TITLE", "PORTAL_OIDC_SCOPES",
    "PORTAL_OIDC_GROUPS_CLAIM", "PORTAL_OIDC_REQUIRED_GROUPS", "PORTAL_OIDC_ROLE_GROUPS", "PORTAL_OIDC_JOIN_BY_EMAIL",
    "PORTAL_OIDC_SECOND_FACTOR", "PORTAL_OIDC_SESSION_HOURS", "PORTAL_OIDC_FILE", "PORTAL_OIDC_ONLY", "PORTAL_BREAK_GLASS",
    "PORTAL_SECOND_FACTOR_FOR_ROLES", "PORTAL_CONTACT",
}  # fmt: skip
BROKERS = ("memory", "redis", "rediss", "sentinel", "amqp", "amqps")
KNOWN_FILES = {"PORTAL_SECRET_KEY_FILE", "PORTAL_ENCRYPTION_KEYS_FILE", "PORTAL_OIDC_CLIENT_SECRET_FILE"}


class BadEnvironmentError(Exception):
    """A setting is missing or malformed; the sentence names it and says what to give."""


def home() -> Path:
    """The folder for what the embedded portal keeps: its database, its generated keys."""
    return Path(os.environ.get("PORTAL_HOME") or CHECKOUT / "var").resolve()


def read_file(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; blank lines and ``#`` comments are skipped."""
    found: dict[str, str] = {}
    if not path.exists():
        return found
    for number, line in enumerate(_content(path, "The settings are in").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise BadEnvironmentError(f"{path}, line {number}: expected NAME=value.")
        found[name.strip()] = value.strip()
    return found


def _content(path: Path, what: str) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise BadEnvironmentError(f"{what} {path}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadEnvironmentError(f"{what} {path}, which is no text.") from error


class Environment:
    """Strict access to the settings of one process."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        strange = sorted(name for name in values if name.startswith("PORTAL_") and name not in KNOWN | KNOWN_FILES)
        if strange:
            raise BadEnvironmentError(f"Unknown setting {strange[0]}; known are {', '.join(sorted(KNOWN))}.")

    def text(self, name: str, default: str | None = None) -> str:
        """A value that is no secret; required unless a default is given."""
        value = self.values.get(name, "")
        if value:
            return value
        if default is None:
            raise BadEnvironmentError(f"{name} is not set. Set it in the environment, or run `manage.py setup` once.")
        return default

    def secret(self, name: str, default: str | None = None) -> str:
        """A value that may also be given as the path of a file in ``NAME_FILE``; giving both is refused."""
        path = self.values.get(f"{name}_FILE", "")
        if not path:
            return self.text(name, default)
        if self.values.get(name):
            raise BadEnvironmentError(f"{name} and {name}_FILE are both set; give one of them.")
        value = _content(Path(path), f"{name}_FILE names").strip()
        if not value:
            raise BadEnvironmentError(f"{name}_FILE names {path}, which is empty.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """yes/no, true/false, 1/0, on/off."""
        value = self.text(name, "yes" if default else "no").lower()
        if value in {"1", "yes", "true", "on"}:
            return True
        if value in {"0", "no", "false", "off"}:
            return False
        raise BadEnvironmentError(f"{name} is {value!r}; expected yes or no.")

    def number(self, name: str, default: int) -> int:
        """A whole number of zero or more."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit()):
            raise BadEnvironmentError(f"{name} is {value!r}; expected a whole number.")
        return int(value)

    def words(self, name: str) -> list[str]:
        """Comma-separated values, without blanks."""
        return [word.strip() for word in self.text(name, "").split(",") if word.strip()]

    def networks(self, name: str) -> list[str]:
        """Comma-separated networks and addresses."""
        try:
            return [str(network) for network in parse_networks(self.text(name, ""))]
        except ValueError as error:
            raise BadEnvironmentError(f"{name}: {error}. Write networks such as 10.0.0.0/8.") from error

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(name, default)
        if value not in choices:
            raise BadEnvironmentError(f"{name} is {value!r}; expected {' or '.join(choices)}.")
        return value

    def address(self, name: str, default: str) -> str:
        """Scheme and host of a web address, without a slash at the end."""
        value = self.text(name, default).rstrip("/")
        parts = _parts(name, value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.path:
            raise BadEnvironmentError(
                f"{name} is {value!r}; expected scheme and host alone, for example https://portal.example."
            )
        return value

    def keys(self, name: str) -> list[str]:
        """Comma-separated secrets of 32 bytes in URL-safe base64; the first encrypts, all decrypt."""
        found = [word.strip() for word in self.secret(name).split(",") if word.strip()]
        for number, key in enumerate(found, 1):
            if not _is_key(key):
                raise BadEnvironmentError(f"{name}: key {number} is not 32 bytes in URL-safe base64.")
        if not found:
            raise BadEnvironmentError(f"{name} holds no key; give at least one.")
        return found


def _is_key(text: str) -> bool:
    try:
        return len(urlsafe_b64decode(text)) == 32
    except (binascii.Error, ValueError):
        return False


def _parts(name: str, url: str) -> SplitResult:
    """The parts of an address. What is wrong with it is not quoted: it may be part of a password."""
    try:
        parts = urlsplit(url)
        is_readable = not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        is_readable = False
    if not is_readable:
        raise BadEnvironmentError(
            f"{name} is no address that can be read; write special signs of a password as %XX, and a port as a number."
        )
    return urlsplit(url)


def read_environment() -> Environment:
    """The environment over the file of the portal's home; the environment wins."""
    return Environment(laid_over(read_file(home() / "portal.env"), os.environ))


def laid_over(below: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    """``above`` wins, also where one gives a secret and the other the path of a file that holds it. Empty is not given."""
    given = {name: value for name, value in above.items() if value}
    hidden = {f"{name}_FILE" for name in given} | {name.removesuffix("_FILE") for name in given}
    return {**{name: value for name, value in below.items() if name not in hidden}, **given}


def write_first_secrets() -> Path | None:
    """Create ``portal.env`` with fresh secrets where neither environment nor file has any; its path, or None if there was one."""
    path = home() / "portal.env"
    if path.exists() or os.environ.get("PORTAL_SECRET_KEY") or os.environ.get("PORTAL_SECRET_KEY_FILE"):
        return None
    lines = [
        f"PORTAL_SECRET_KEY={secrets.token_urlsafe(48)}",
        f"PORTAL_ENCRYPTION_KEYS={urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        raise BadEnvironmentError(
            f"{path} cannot be written: {error.strerror}. Set PORTAL_HOME to a folder that can."
        ) from error
    return path


def database(url: str) -> dict[str, object]:
    """Django's database settings for ``sqlite:///path`` or ``postgres://user:password@host:port/name?option=value``."""
    parts = _parts("DATABASE_URL", url)
    path = unquote(parts.path.removeprefix("/"))
    if parts.scheme in {"sqlite", "postgres", "postgresql"} and not path:
        raise BadEnvironmentError("DATABASE_URL names no database; write sqlite:///path or postgres://host/name.")
    if parts.scheme == "sqlite":
        if parts.netloc:
            raise BadEnvironmentError(
                "DATABASE_URL: write three slashes before the path of an SQLite file, four if it is absolute."
            )
        return sqlite(path)
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": path,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            # The pool of psycopg replaces persistent connections, and the two may not be mixed.
            "CONN_MAX_AGE": 0,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 15}, **dict(parse_qsl(parts.query))},
        }
    raise BadEnvironmentError(f"DATABASE_URL has the scheme {parts.scheme!r}; expected sqlite:/// or postgres://.")


def sqlite(path: str) -> dict[str, object]:
    """WAL so that readers never wait, immediate transactions so that writers queue at BEGIN instead of failing at COMMIT."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
        },
    }


def broker(url: str) -> str:
    """The address of RabbitMQ or Redis, or ``memory://`` for jobs inside ``manage.py serve``."""
    scheme = urlsplit(url).scheme
    if scheme not in BROKERS:
        raise BadEnvironmentError(f"CELERY_BROKER_URL has the scheme {scheme!r}; expected {', '.join(BROKERS)}.")
    return url


def email(url: str) -> dict[str, object]:
    """Django's mail settings for ``console:``, ``memory:`` or ``smtp[s]://user:password@host:port?from=address``."""
    parts = _parts("EMAIL_URL", url)
    query = dict(parse_qsl(parts.query))
    backends = {"console": "console", "memory": "locmem", "smtp": "smtp", "smtps": "smtp", "smtp+tls": "smtp"}
    if parts.scheme not in backends:
        raise BadEnvironmentError(
            f"EMAIL_URL has the scheme {parts.scheme!r}; expected smtp, smtp+tls, smtps, console or memory."
        )
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backends[parts.scheme]}.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or {"smtps": 465, "smtp+tls": 587}.get(parts.scheme, 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 20,
        "DEFAULT_FROM_EMAIL": query.get("from", "portreeve@localhost"),
    }
