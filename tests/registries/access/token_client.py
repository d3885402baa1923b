"""Ask the token endpoint as clients do, and read the answer as registries do."""

import base64
from typing import Any
from urllib.parse import urlencode

import jwt
from django.test import Client

from registries.access.signing.keys import active_key
from registries.topology.models import Registry
from tests.registries.access.cast import Login

FORM = "application/x-www-form-urlencoded"


def basic(login: Login | None) -> dict[str, str]:
    if login is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{login.username}:{login.secret}".encode()).decode()}


def ask(client: Client, registry: Registry, *scopes: str, login: Login | None = None, **more: str) -> Any:
    query = urlencode([("service", registry.service), *(("scope", scope) for scope in scopes), *more.items()])
    return client.get(f"/token?{query}", headers=basic(login))


def post(client: Client, registry: Registry, *scopes: str, login: Login, **more: str) -> Any:
    values = {"grant_type": "password", "username": login.username, "password": login.secret, **more}
    pairs = [*values.items(), ("service", registry.service), *(("scope", scope) for scope in scopes)]
    return client.post("/token", urlencode(pairs), content_type=FORM)


def claims(answer: Any, registry: Registry) -> dict[str, Any]:
    """As the registry would read them: by its own key and audience."""
    key = active_key(registry)
    assert key is not None
    token = answer.json()["token"]
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "ES256", "kid": key.kid}
    found: dict[str, Any] = jwt.decode(
        token, jwt.PyJWK(key.public_jwk), ["ES256"], audience=registry.service, issuer="127.0.0.1:8000"
    )
    return found


def access(answer: Any, registry: Registry) -> dict[str, list[str]]:
    return {entry["name"]: entry["actions"] for entry in claims(answer, registry)["access"]}
