"""The admin's page of a registry's keys: what it shows at each step, who may act, and that nothing private is on it."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.models import SigningKey
from registries.access.signing.keys import active_key, bundle_pem
from registries.access.signing.rotation import publish_next_key, revoke_key
from registries.topology.models import Registry
from tests.fakes.token_registry import TokenRegistry
from tests.registries.access.cast import ADMIN, make_person, make_registry

pytestmark = pytest.mark.django_db
State = SigningKey.State


@pytest.fixture
def prod(guarded: Registry) -> Registry:
    return guarded


@pytest.fixture
def browser(client: Client) -> Client:
    return signed_in(client, Role.PLATFORM_ADMIN)


def signed_in(client: Client, role: Role) -> Client:
    user: User = make_person(f"olga-{role.replace('_', '-')}")
    grant_role(ADMIN, user, role)
    client.force_login(user)
    return client


def address(registry: Registry) -> str:
    return f"/admin/access/signingkey/registry/{registry.pk}/"


def shown(client: Client, registry: Registry) -> str:
    return client.get(address(registry)).content.decode()


def act(client: Client, registry: Registry, step: str, **more: object) -> str:
    """Take a step and read what is said."""
    answer = client.post(address(registry), {"step": step, **more}, follow=True)
    assert answer.redirect_chain == [(address(registry), 302)]
    return answer.content.decode()


def test_a_whole_exchange_by_the_buttons(browser: Client, prod: Registry, door: TokenRegistry) -> None:
    assert "There is nothing to do" in shown(browser, prod)
    text = act(browser, prod, "publish", algorithm="RS256")
    assert "http://127.0.0.1:8000/keys/prod/bundle.pem" in text
    assert "manage.py registry_config prod --keys-dir /etc/docker/registry" in text
    key = SigningKey.objects.get(state=State.PUBLISHED)
    assert "Switch to" not in text
    assert "not yet this one" in act(browser, prod, "probe", key=key.pk)
    assert "The last probe of the next key failed" in act(browser, prod, "switch")
    door.restart(bundle_pem(prod))
    assert "3 times out of 3" in act(browser, prod, "probe", key=key.pk)
    assert f"Switch to {key.kid[:14]}" in shown(browser, prod)
    assert "stays trusted until its last token has ended" in act(browser, prod, "switch")
    old = SigningKey.objects.get(state=State.REPLACED)
    assert "may be good until" in act(browser, prod, "retire", key=old.pk)
    key.refresh_from_db()
    assert (key.state, key.algorithm) == (State.ACTIVE, "RS256")
    verbs = AuditEvent.objects.filter(actor_name="olga-platform-admin").values_list("verb", flat=True)
    assert {"signingkey.published", "signingkey.probed", "signingkey.switched"} <= set(verbs)


def test_a_key_is_revoked_with_a_reason_and_the_page_warns_until_it_is_refused(
    browser: Client, prod: Registry, door: TokenRegistry
) -> None:
    key = active_key(prod)
    assert key is not None
    assert "Say why the key is revoked" in act(browser, prod, "revoke", key=key.pk, reason="")
    text = act(browser, prod, "revoke", key=key.pk, reason="found in a log")
    assert "whoever holds that key gets in" in text
    door.restart(bundle_pem(prod))
    assert "whoever holds that key gets in" not in act(browser, prod, "probe", key=key.pk)


def test_a_revoked_key_is_on_the_first_pages_until_it_is_refused(
    browser: Client, prod: Registry, door: TokenRegistry
) -> None:
    key, words = active_key(prod), "A revoked key may still open a registry"
    assert key is not None
    pages = ("/", "/admin/")
    assert not any(words in browser.get(page).content.decode() for page in pages)
    revoke_key(ADMIN, prod, key, "found in a log")
    assert all(words in browser.get(page).content.decode() for page in pages)
    door.restart(bundle_pem(prod))
    act(browser, prod, "probe", key=key.pk)
    assert not any(words in browser.get(page).content.decode() for page in pages)


def test_what_people_without_a_role_see_says_nothing_of_keys(client: Client, prod: Registry) -> None:
    key = active_key(prod)
    assert key is not None
    revoke_key(ADMIN, prod, key, "found in a log")
    client.force_login(make_person("charlie"))
    assert "revoked key" not in client.get("/").content.decode()


def test_a_next_key_is_abandoned(browser: Client, prod: Registry) -> None:
    key = publish_next_key(ADMIN, prod)
    assert "It has signed nothing" in act(browser, prod, "abandon")
    assert "abandoned" in shown(browser, prod)
    assert key.kid not in bundle_pem(prod)


def test_a_registry_without_a_key_teaches_the_first_step(browser: Client) -> None:
    hub = make_registry("hub", "upstream", reach="observed")
    assert "manage.py registry_config hub" in shown(browser, hub)
    assert "There is nothing to do" in act(browser, hub, "first")


@pytest.mark.parametrize(
    ("product", "there", "absent"),
    [
        ("distribution", ["bundle.pem", "jwks.json"], ["newest.pem"]),
        ("generic", ["bundle.pem", "jwks.json", "newest.pem"], []),
        ("zot", ["newest.pem", "Switch at once"], ["bundle.pem", "jwks.json"]),
    ],
)
def test_commands_are_those_of_the_make(browser: Client, product: str, there: list[str], absent: list[str]) -> None:
    registry = make_registry("prod", product=product)
    publish_next_key(ADMIN, registry)
    text = shown(browser, registry)
    assert all(words in text for words in there)
    assert not any(words in text for words in absent)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RELEASE_MANAGER, Role.SECURITY])
def test_others_with_a_role_look_and_are_told_who_acts(client: Client, prod: Registry, role: Role) -> None:
    signed_in(client, role)
    publish_next_key(ADMIN, prod)
    text = shown(client, prod)
    assert "platform admins exchange keys" in text
    assert "<button class" not in text.partition('class="portal rotation"')[2]
    for step in ("publish", "probe", "switch", "retire", "abandon", "revoke", "first"):
        assert client.post(address(prod), {"step": step}).status_code == 403
    assert SigningKey.objects.filter(registry=prod).count() == 2


def test_people_without_a_role_and_strangers_see_nothing(client: Client, prod: Registry) -> None:
    assert client.get(address(prod)).status_code == 302
    client.force_login(make_person("charlie"))
    assert client.get(address(prod), follow=True).status_code == 403
    assert client.post(address(prod), {"step": "publish"}, follow=True).status_code == 403


@pytest.mark.parametrize(
    ("step", "key", "said"),
    [
        ("fly", "", "no such step"),
        ("", "", "no such step"),
        ("probe", "", "no such key"),
        ("probe", "99999", "no such key"),
        ("probe", "1 OR 1=1", "no such key"),
        ("retire", "abc", "no such key"),
        ("publish", "", "choose ES256 or RS256"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    browser: Client, prod: Registry, step: str, key: str, said: str
) -> None:
    assert said in act(browser, prod, step, key=key, algorithm="EdDSA")
    assert SigningKey.objects.count() == 1


def test_a_key_of_another_registry_is_out_of_reach(browser: Client, prod: Registry) -> None:
    other = active_key(make_registry("sandbox"))
    assert other is not None
    assert "no such key" in act(browser, prod, "revoke", key=other.pk, reason="mine now")
    other.refresh_from_db()
    assert other.state == State.ACTIVE


def test_nothing_private_is_on_the_pages_and_few_queries_make_them(
    browser: Client, prod: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        publish_next_key(ADMIN, prod)
        act(browser, prod, "abandon")
    key = active_key(prod)
    assert key is not None
    with django_assert_max_num_queries(25):
        page = shown(browser, prod)
    secret = "".join(key.private_pem.split("-----")[2].split())
    for path in (f"/admin/access/signingkey/{key.pk}/change/", "/admin/access/signingkey/"):
        page += browser.get(path).content.decode()
    assert "PRIVATE" not in page
    assert secret[:40] not in "".join(page.split())


def test_the_page_is_found_from_the_registry_and_from_the_key(browser: Client, prod: Registry) -> None:
    key = active_key(prod)
    assert key is not None
    for path in (
        f"/admin/topology/registry/{prod.pk}/change/",
        f"/admin/access/signingkey/{key.pk}/change/",
        "/admin/access/signingkey/",
    ):
        assert address(prod) in browser.get(path).content.decode(), path


def test_no_page_asks_the_network(browser: Client, prod: Registry, door: TokenRegistry) -> None:
    publish_next_key(ADMIN, prod)
    door.seen.clear()
    shown(browser, prod)
    assert door.seen == []
