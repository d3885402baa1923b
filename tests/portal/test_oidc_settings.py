"""Providers are understood at the start, or refused in one sentence that names what is wrong."""

from pathlib import Path

import pytest

from portal.env import BadEnvironmentError, Environment
from portal.oidc_settings import ROLES, OidcProvider, only_by_oidc, read_providers
from portal.users.models import Role
from tests.portal.command_line import SECRETS, manage

ISSUER = "https://login.example/realms/company"
ONE = {"PORTAL_OIDC_ISSUER": ISSUER, "PORTAL_OIDC_CLIENT_ID": "portreeve"}
TWO = f"""
[company]
issuer = "{ISSUER}"
client_id = "portreeve"
client_secret = "hidden"
title = "Company"
required_groups = ["CN=Staff,OU=All", "contractors"]
second_factor = true
[company.roles]
auditor = ["CN=Audit,OU=All"]

[partner]
issuer = "https://partner.example"
client_id = "us"
group_prefix = "partner:"
session_hours = 1
"""


def read(**told: str) -> dict[str, OidcProvider]:
    return read_providers(Environment(told))


def test_without_settings_there_is_no_provider() -> None:
    assert read() == {}


def test_one_provider_from_the_environment() -> None:
    found = read(
        **ONE,
        PORTAL_OIDC_CLIENT_SECRET="hidden",
        PORTAL_OIDC_REQUIRED_GROUPS="staff, contractors",
        PORTAL_OIDC_ROLE_GROUPS="auditor=audit, auditor=revision,platform_admin=ops",
        PORTAL_OIDC_JOIN_BY_EMAIL="yes",
    )
    provider = found["oidc"]
    assert (provider.issuer, provider.title, provider.client_secret) == (ISSUER, "login.example", "hidden")
    assert provider.required_groups == ("staff", "contractors")
    assert provider.role_groups == {"auditor": ("audit", "revision"), "platform_admin": ("ops",)}
    assert provider.join_by_email
    assert not provider.second_factor
    assert "hidden" not in repr(found)


def test_several_providers_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "providers.toml"
    path.write_text(TWO)
    found = read(PORTAL_OIDC_FILE=str(path))
    assert list(found) == ["company", "partner"]
    assert found["company"].required_groups == ("CN=Staff,OU=All", "contractors")
    assert found["company"].role_groups == {"auditor": ("CN=Audit,OU=All",)}
    assert (found["partner"].title, found["partner"].session_hours) == ("partner.example", 1)


def test_secrets_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden\n")
    found = read(**ONE, PORTAL_OIDC_CLIENT_SECRET_FILE=str(tmp_path / "secret"))
    assert found["oidc"].client_secret == "hidden"
    path = tmp_path / "providers.toml"
    path.write_text(f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nclient_secret_file="{tmp_path}/secret"')
    assert read(PORTAL_OIDC_FILE=str(path))["a"].client_secret == "hidden"
    path.write_text(f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nclient_secret_file="{tmp_path}/none"')
    with pytest.raises(BadEnvironmentError, match="none, which cannot be read"):
        read(PORTAL_OIDC_FILE=str(path))


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080", "http://localhost/realms/x", "http://[::1]:1", ISSUER])
def test_loopback_needs_no_tls(issuer: str) -> None:
    assert read(**{**ONE, "PORTAL_OIDC_ISSUER": issuer})["oidc"].issuer == issuer


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"PORTAL_OIDC_ISSUER": "http://login.example"}, "the issuer is 'http://login.example'. Only https is taken"),
        ({"PORTAL_OIDC_ISSUER": "http://localhost.evil.example"}, "Only https is taken"),
        ({"PORTAL_OIDC_ISSUER": "login.example"}, "Write an address"),
        ({"PORTAL_OIDC_ISSUER": "https://me:pass@login.example"}, "without user name"),
        ({"PORTAL_OIDC_ISSUER": "https://login.example?x=1"}, "without user name, query"),
        ({"PORTAL_OIDC_CLIENT_ID": ""}, "client_id is not set"),
        ({"PORTAL_OIDC_ISSUER": ""}, "PORTAL_OIDC_CLIENT_ID is set, but PORTAL_OIDC_ISSUER is not"),
        ({"PORTAL_OIDC_FILE": "/etc/x"}, "PORTAL_OIDC_CLIENT_ID and PORTAL_OIDC_FILE are both set"),
        ({"PORTAL_OIDC_ROLE_GROUPS": "auditor"}, "expected role=group"),
        ({"PORTAL_OIDC_ROLE_GROUPS": "king=court"}, "roles has 'king'; expected platform_admin or security"),
        ({"PORTAL_OIDC_SCOPES": "profile"}, "scopes must have openid"),
        ({"PORTAL_OIDC_SESSION_HOURS": "0"}, "session_hours must be one or more"),
        ({"PORTAL_OIDC_SESSION_HOURS": "long"}, "expected a whole number"),
        ({"PORTAL_OIDC_JOIN_BY_EMAIL": "perhaps"}, "expected yes or no"),
        ({"PORTAL_OIDC_GRUOPS": "x"}, "Unknown setting PORTAL_OIDC_GRUOPS"),
    ],
)
def test_what_cannot_be_is_one_sentence(told: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadEnvironmentError, match=sentence):
        read(**{**ONE, **told})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no provider"),
        ("[company", "is no TOML"),
        ("company = 1", "company is no table"),
        ("[Company]\n", "in small letters"),
        ('["a/b"]\n', "is no table"),
        ("[a]\n", "the issuer is ''"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\ngruops=["x"]', "unknown gruops; known are client_id"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nrequired_groups="staff"', "required_groups is 'staff', which is not"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nrequired_groups=[""]', "which is not what it takes"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nsession_hours=true', "session_hours is True"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nroles={{auditor="x"}}', "with a list of groups"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\nclient_secret="x"\nclient_secret_file="y"', "are both set"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\ngroups_claim=""\nrequired_groups=["x"]', "groups_claim is empty"),
        (f'[a]\nissuer="{ISSUER}"\nclient_id="x"\n[b]\nissuer="{ISSUER}"\nclient_id="x"', "with the same group_prefix"),
    ],
)
def test_a_file_that_cannot_be_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "providers.toml"
    path.write_text(text)
    with pytest.raises(BadEnvironmentError, match=sentence) as refusal:
        read(PORTAL_OIDC_FILE=str(path))
    assert "providers.toml" in str(refusal.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadEnvironmentError, match="/nowhere/x, which cannot be read: No such file"):
        read(PORTAL_OIDC_FILE="/nowhere/x")


def test_a_provider_alone_takes_somebody_for_when_it_is_down() -> None:
    alone = Environment({**ONE, "PORTAL_OIDC_ONLY": "yes"})
    with pytest.raises(BadEnvironmentError, match="PORTAL_BREAK_GLASS names nobody"):
        only_by_oidc(alone, read_providers(alone), [])
    with pytest.raises(BadEnvironmentError, match="there is no provider"):
        only_by_oidc(alone, {}, ["root"])
    assert only_by_oidc(alone, read_providers(alone), ["root"])
    assert not only_by_oidc(Environment({}), {}, [])


def test_the_roles_of_the_settings_are_the_roles_there_are() -> None:
    assert set(ROLES) == set(Role.values)


def test_a_portal_that_cannot_understand_its_provider_does_not_start(home: Path) -> None:
    ended = manage(home, "check", **SECRETS, PORTAL_OIDC_ISSUER="http://login.example", PORTAL_OIDC_CLIENT_ID="x")
    assert ended.returncode == 1
    assert ended.stderr.startswith("PORTAL_OIDC_ISSUER, oidc: the issuer is 'http://login.example'. Only https")
    assert "Traceback" not in ended.stderr


def test_the_button_on_the_login_page_comes_from_the_environment(home: Path) -> None:
    look = "from django.test import Client; print(Client(headers={'host': '127.0.0.1'}).get('/accounts/login/').content.decode())"
    told = {
        "PORTAL_OIDC_ISSUER": ISSUER, "PORTAL_OIDC_CLIENT_ID": "x", "PORTAL_OIDC_TITLE": "Company <sign-in>",
        "PORTAL_OIDC_ONLY": "yes", "PORTAL_BREAK_GLASS": "root", "PORTAL_CONTACT": "#platform",
    }  # fmt: skip
    ended = manage(home, "shell", "-c", look, **SECRETS, **told)
    assert ended.returncode == 0, ended.stderr
    assert "Sign in with Company &lt;sign-in&gt;" in ended.stdout
    assert 'action="/accounts/oidc/oidc/login/' in ended.stdout
    assert "Local admins, with a password" in ended.stdout
    assert "Ask #platform." in ended.stdout
