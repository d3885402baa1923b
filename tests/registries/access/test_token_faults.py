"""The token endpoint on bad input and without its database: what it cannot decide it says so, and nobody is taken for a stranger."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client

from registries.access import snapshot
from registries.access.counts.record_models import AccessUse, TokenCount
from registries.access.counts.tally import tally
from registries.access.epoch import bump_epoch
from registries.access.models import AccessRule, SigningKey
from registries.topology.models import Registry
from tests.registries.access.cast import (
    Login,
    make_registry,
)
from tests.registries.access.token_client import FORM, access, ask, basic, post

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
Ask = Callable[[Client, Registry], Any]


class Broken:
    """A database that fails at the query of this number, counted from 1, and at all after it."""

    def __init__(self, number: int, error: type[Exception]) -> None:
        self.number, self.error, self.seen = number, error, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen >= self.number:
            raise self.error("the connection is gone")
        return execute(sql, params, many, context)


ASKED: dict[str, Callable[[Login, Login], Ask]] = {
    "a person": lambda alice, _: lambda client, registry: ask(client, registry, "repository:a:pull", login=alice),
    "a person by POST": lambda alice, _: (
        lambda client, registry: post(client, registry, "repository:a:pull", login=alice)
    ),
    "a robot": lambda _, robbie: lambda client, registry: ask(client, registry, "repository:a:pull", login=robbie),
    "a stranger": lambda *_: lambda client, registry: ask(client, registry, "repository:a:pull"),
    "a wrong secret": lambda *_: lambda client, registry: ask(client, registry, login=Login("alice", "no")),
}


@pytest.mark.parametrize("error", [OperationalError, DatabaseError, InterfaceError])
@pytest.mark.parametrize("is_cold", [False, True], ids=["warm", "cold"])
@pytest.mark.parametrize("who", ASKED)
def test_whichever_query_fails_nothing_is_decided(
    client: Client, sandbox: Registry, alice: Login, robbie: Login, who: str, is_cold: bool, error: type[Exception]
) -> None:
    asked = ASKED[who](alice, robbie)
    assert asked(client, sandbox).status_code in (200, 401)
    number, statuses = 1, []
    while True:
        if is_cold:
            snapshot._held.clear()
        tally.take()
        broken = Broken(number, error)
        with connection.execute_wrapper(broken):
            answer = asked(client, sandbox)
        if broken.seen < number:
            break
        statuses.append(answer.status_code)
        body = answer.json()
        assert answer.status_code == 503, f"query {number}: {answer.status_code} {body}"
        assert answer["Retry-After"] == "5"
        assert "token" not in body
        assert "access_token" not in body
        assert "gone" not in answer.content.decode()
        number += 1
    assert statuses
    assert asked(client, sandbox).status_code in (200, 401)


def test_a_rule_set_that_cannot_be_read_gives_nothing_of_the_old_one(
    client: Client, sandbox: Registry, alice: Login
) -> None:
    """The policy has changed and cannot be read: what it was before is no answer."""
    asked = ("repository:a:pull", "repository:b:pull")
    assert set(access(ask(client, sandbox, *asked, login=alice), sandbox)) == {"a", "b"}
    AccessRule.objects.create(effect="deny", pattern="a", may_pull=True)
    with connection.execute_wrapper(Broken(2, OperationalError)):
        assert ask(client, sandbox, *asked, login=alice).status_code == 503
    assert set(access(ask(client, sandbox, *asked, login=alice), sandbox)) == {"b"}


def test_a_key_that_nobody_can_read_any_more_is_503_and_no_token(client: Client, alice: Login) -> None:
    """The encryption keys were lost, say: nothing is signed by anything else."""
    fresh = make_registry("archive")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_signingkey SET private_pem = 'unreadable' WHERE registry_id = %s", [fresh.pk])
    answer = ask(client, fresh, "repository:a:pull", login=alice)
    assert answer.status_code == 503
    assert "token" not in answer.json()
    SigningKey.objects.filter(registry=fresh).update(state=SigningKey.State.RETIRED)
    bump_epoch()
    assert ask(client, fresh, "repository:a:pull", login=alice).status_code == 503


@pytest.mark.django_db(transaction=True)
def test_counters_that_cannot_be_written_hold_up_nobody(client: Client, sandbox: Registry, alice: Login) -> None:
    ask(client, sandbox, login=alice)
    tally.take()
    broken = Broken(3, OperationalError)
    tally._is_urgent = True
    with connection.execute_wrapper(broken):
        answer = ask(client, sandbox, "repository:a:pull", login=alice)
    assert answer.status_code == 200
    assert broken.seen >= broken.number
    assert not TokenCount.objects.exists()
    tally.flush()
    assert TokenCount.objects.get(registry=sandbox).count == 1


def test_what_is_counted_fits_its_columns_however_it_was_asked(client: Client, sandbox: Registry, alice: Login) -> None:
    """One row that cannot be written would keep all others from being written."""
    client.defaults["REMOTE_ADDR"] = "fe80::1%" + "a" * 60
    ask(
        client,
        sandbox,
        f"repository:{'a' * 255}:{','.join('abcdefghijklmnopqrst'[n] * 9 for n in range(20))},pull",
        login=alice,
    )
    ask(client, sandbox, "repository:ok:pull,push,delete,pull", f"x{'y' * 300}:{'z' * 255}:pull", login=alice)
    tally.flush()
    assert AccessUse.objects.filter(repository="ok", address="fe80::1").exists()
    assert not tally.take()


@pytest.mark.parametrize(
    "query",
    [
        "service=%00", "service=\u0000", "service=%ff%fe", "service=" + "a" * 4000, "service=a&service=b", "scope=%00", "service[]=x",
        "service=%F0%9F%90%B3", "%=&&&=", "service=x;scope=y", "service=%ed%a0%80",
    ],
)  # fmt: skip
def test_a_query_that_is_none_is_400_and_no_fault(client: Client, sandbox: Registry, alice: Login, query: str) -> None:
    answer = client.get(f"/token?{query}", headers=basic(alice))
    assert answer.status_code == 400
    assert "token" not in answer.json()


@pytest.mark.parametrize(
    "scope", ["repository:a\0b:pull", "repository:a:pull\0", "\0", "repository:\ud800:pull", "repository:a:pu\u212al"]
)
def test_a_scope_with_what_databases_do_not_take_grants_nothing(
    client: Client, sandbox: Registry, alice: Login, scope: str
) -> None:
    raw = scope.encode("utf-8", "surrogatepass")
    service = urlencode({"service": sandbox.service})
    answer = client.get(f"/token?{service}&scope={quote_from_bytes(raw)}", headers=basic(alice))
    assert answer.status_code == 200
    assert access(answer, sandbox) == {}
    assert len(answer.json()["denied"]) == 1
    tally.flush()


@pytest.mark.parametrize(
    "part", [b"\0", b"\xff\xfe", b"\xed\xa0\x80", "\u2603".encode(), b"\r\nX: y", b"a" * 6000, b":" * 50]
)
def test_names_and_secrets_of_any_bytes_are_wrong_and_no_fault(client: Client, sandbox: Registry, part: bytes) -> None:
    for text in (part + b":x", b"alice:" + part, part):
        header = f"Basic {b64encode(text).decode()}"
        answer = client.get(
            f"/token?service={sandbox.service}&scope=repository:a:pull", headers={"Authorization": header}
        )
        assert answer.status_code in (401, 429)
    for name in ("username", "password"):
        body = urlencode({"grant_type": "password", "service": sandbox.service}).encode() + f"&{name}=".encode()
        status = client.post("/token", body + quote_from_bytes(part).encode(), content_type=FORM).status_code
        assert status in (401, 429)


def test_duplicated_parameters_are_one_of_them_and_never_both(
    client: Client, sandbox: Registry, alice: Login, robbie: Login
) -> None:
    """The last counts, as everywhere in Django; a name of one and a secret of another are nobody's."""
    pairs = [("grant_type", "password"), ("username", robbie.username), ("username", alice.username)]
    pairs += [("password", "wrong"), ("password", alice.secret), ("service", "elsewhere"), ("service", sandbox.service)]
    answer = client.post("/token", urlencode([*pairs, ("scope", "repository:a:pull")]), content_type=FORM)
    assert access(answer, sandbox) == {"a": ["pull"]}
    mixed = [*pairs, ("username", robbie.username)]
    assert client.post("/token", urlencode(mixed), content_type=FORM).status_code == 401
    query = urlencode([("account", "robot.payments-ci"), ("username", "root"), ("service", sandbox.service)])
    assert client.get(f"/token?{query}&scope=repository:a:pull", headers=basic(alice)).status_code == 200


def test_a_header_beside_a_form_is_not_mixed_with_it(
    client: Client, sandbox: Registry, alice: Login, robbie: Login
) -> None:
    values = {"grant_type": "password", "username": "alice", "password": "wrong", "service": sandbox.service}
    answer = client.post("/token", urlencode(values), content_type=FORM, headers=basic(robbie))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=x",
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded; charset=utf-16",
    ],
)
def test_a_form_of_another_kind_is_said_to_be_one(client: Client, sandbox: Registry, alice: Login, kind: str) -> None:
    values = {"grant_type": "password", "username": "alice", "password": alice.secret, "service": sandbox.service}
    answer = client.generic("POST", "/token", urlencode(values), content_type=kind)
    assert answer.status_code == (200 if "utf-16" in kind else 400)


def test_more_fields_than_a_form_has_are_refused_as_a_form(client: Client, sandbox: Registry) -> None:
    answer = client.post("/token", "a&" * 20_000, content_type=FORM)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("length", ["-1", "1e3", "\u00b2", "9" * 30, "0x10", " ", "1,1"])
def test_lengths_that_are_none(client: Client, length: str) -> None:
    answer = client.generic("POST", "/token", b"grant_type=password", content_type=FORM, CONTENT_LENGTH=length)
    assert answer.status_code in (400, 411, 413)
    assert answer.json()["error"]


@pytest.mark.parametrize("count", [100, 1000])
def test_as_many_scopes_as_that_are_answered_for_the_first_hundred(
    client: Client, sandbox: Registry, alice: Login, count: int
) -> None:
    answer = ask(client, sandbox, *(f"repository:a{number}:pull" for number in range(count)), login=alice)
    assert answer.status_code == 200
    granted = access(answer, sandbox)
    assert set(granted) <= {f"a{number}" for number in range(100)}
    assert len(granted) >= 80
    assert len(answer.content) < 60 * 1024
    said = json.dumps(answer.json().get("denied", []))
    assert ("more than 100 scopes" in said) == (count > 100)
    assert AccessUse.objects.count() <= 100
