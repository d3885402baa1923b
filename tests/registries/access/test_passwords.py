"""A password never opens a registry or the API, with a second factor or without one: it would go round the factor."""

import base64
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from portal.users.models import User
from tests.registries.access.cast import make_person, make_registry, person_login

pytestmark = [pytest.mark.django_db]
PASSWORD = "correct horse battery staple"


@pytest.fixture(params=["with a second factor", "without one"])
def alice(request: pytest.FixtureRequest) -> User:
    user = make_person("alice")
    user.set_password(PASSWORD)
    user.save()
    if request.param == "with a second factor":
        TOTP.activate(user, generate_totp_secret())
        assert Authenticator.objects.filter(user=user, type="totp").exists()
    return user


def basic(username: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{secret}".encode()).decode()}


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
def test_docker_login_with_a_password_is_refused(client: Client, alice: User, name: str) -> None:
    sandbox = make_registry("sandbox")
    token = person_login(alice)
    where = f"/token?service={sandbox.service}&scope=repository:alice/try:pull"
    assert client.get(where, headers=basic("alice", token.secret)).status_code == 200
    refused = client.get(where, headers=basic(name, PASSWORD))
    assert refused.status_code == 401
    assert "personal token" in refused.json()["errors"][0]["message"]
    form = {
        "grant_type": "password",
        "service": sandbox.service,
        "client_id": "docker",
        "username": name,
        "password": PASSWORD,
    }
    posted = client.post("/token", urlencode(form), content_type="application/x-www-form-urlencoded")
    assert posted.status_code == 401


def test_the_api_takes_no_password(client: Client, alice: User) -> None:
    for headers in (basic("alice", PASSWORD), {"Authorization": f"Bearer {PASSWORD}"}):
        assert client.get("/api/v1/whoami", headers=headers).status_code == 401
