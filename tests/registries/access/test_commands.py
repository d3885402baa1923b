"""explain_access, registry_config and signing_keys, as an operator types them."""

import io
import json
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from django.core.management import CommandError, call_command
from pytest_django import Settings

from portal.audit.models import AuditEvent
from registries.access.models import AccessRule
from registries.access.signing.keys import active_key, bundle_pem, jwks
from registries.access.signing.rotation import publish_next_key
from registries.topology.models import Credential, Reach
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_robot, make_team

pytestmark = pytest.mark.django_db


def printed(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def explained(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("explain_access", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_explain_access_says_why_not_and_what_to_do() -> None:
    make_registry("prod")
    make_person("alice")
    code, text = explained("alice", "push", "prod/payments/tool")
    assert code == 1
    assert "denied: prod takes images only from the promotion pipeline" in text
    assert "ask for a promotion" in text


def test_explain_access_names_the_rule_and_what_lost() -> None:
    prod = make_registry("prod")
    shop = make_robot("shop", make_team("shop"), "consumer")
    AccessRule.objects.create(team=shop.team, zone=prod.zone, pattern="payments/**", reason="the shop runs it")
    code, text = explained("robot.shop", "pull", "prod/payments/tool")
    assert (code, "the shop runs it" in text) == (0, True)
    AccessRule.objects.create(robot=shop, effect="deny", pattern="payments/tool", reason="withdrawn")
    code, text = explained("robot.shop", "pull", f"{prod.host}/payments/tool")
    assert code == 1
    assert "withdrawn" in text
    assert "did not count" in text


@pytest.mark.parametrize(
    ("who", "action", "code"),
    [("system:pipeline", "push", 0), ("system:sync", "push", 1), ("anonymous", "pull", 1)],
)
def test_explain_access_knows_jobs_and_strangers(who: str, action: str, code: int) -> None:
    make_registry("prod")
    assert explained(who, action, "prod/a")[0] == code


def test_explain_access_says_how_far_our_word_reaches() -> None:
    make_registry("prod", reach=Reach.OBSERVED)
    assert "does not ask the portal" in explained("anonymous", "push", "prod/a")[1]


BAD_QUESTIONS = ["nobody pull prod/a", "robot.none pull prod/a", "system:king pull prod/a", "anonymous pull nowhere/a"]
BAD_QUESTIONS += ["anonymous pull prod", "anonymous fly prod/a"]


@pytest.mark.parametrize("question", BAD_QUESTIONS)
def test_explain_access_refuses_bad_questions_with_a_sentence(question: str) -> None:
    make_registry("prod")
    with pytest.raises(CommandError) as refused:
        call_command("explain_access", *question.split())
    assert refused.value.returncode == 2 or "fly" in str(refused.value)


def test_registry_config_for_28_trusts_the_key_of_that_registry(tmp_path: Path, settings: Settings) -> None:
    settings.PORTAL_BASE_URL = "https://portal.example"
    settings.PORTAL_TOKEN_ISSUER = "portal.example"
    make_registry("prod")
    config = yaml.safe_load(printed("registry_config", "prod", "--keys-dir", str(tmp_path / "keys")))
    token = config["auth"]["token"]
    assert token == {
        "realm": "https://portal.example/token",
        "service": "prod.example:5000",
        "issuer": "portal.example",
        "rootcertbundle": str(tmp_path / "keys" / "portal-bundle.pem"),
    }
    assert config["storage"]["delete"] == {"enabled": True}
    assert len(x509.load_pem_x509_certificates(Path(token["rootcertbundle"]).read_bytes())) == 1


def test_registry_config_for_3_lists_the_key_under_our_id(tmp_path: Path) -> None:
    make_registry("prod", token_algorithm="RS256")
    arguments = ["prod", "--version", "3", "--keys-dir", str(tmp_path), "--listen", ":5005", "--storage", "/data"]
    config = yaml.safe_load(printed("registry_config", *arguments))
    token = config["auth"]["token"]
    keys = json.loads(Path(token["jwks"]).read_text())["keys"]
    assert token["signingalgorithms"] == ["RS256"]
    assert ":" in keys[0]["kid"]
    assert "rootcertbundle" not in token
    assert config["http"]["addr"] == ":5005"
    assert config["storage"]["filesystem"]["rootdirectory"] == "/data"


def test_registry_config_for_3_lists_the_algorithms_of_all_keys_that_are_trusted() -> None:
    publish_next_key(ADMIN, make_registry("prod"), "RS256")
    token = yaml.safe_load(printed("registry_config", "prod", "--version", "3"))["auth"]["token"]
    assert token["signingalgorithms"] == ["ES256", "RS256"]


def test_registry_config_for_zot_trusts_one_key(tmp_path: Path, settings: Settings) -> None:
    settings.PORTAL_BASE_URL = "https://portal.example"
    prod = make_registry("prod")
    options = ["--product", "zot", "--keys-dir", str(tmp_path), "--listen", "127.0.0.1:5005", "--storage", "/data"]
    config = yaml.safe_load(printed("registry_config", "prod", *options))
    assert config["http"]["auth"]["bearer"] == {
        "realm": "https://portal.example/token",
        "service": "prod.example:5000",
        "cert": str(tmp_path / "portal-key.pem"),
    }
    assert (config["http"]["address"], config["http"]["port"]) == ("127.0.0.1", "5005")
    assert config["storage"] == {"rootDirectory": "/data", "dedupe": False, "gc": True}
    second = publish_next_key(ADMIN, prod)
    printed("registry_config", "prod", *options)
    assert (tmp_path / "portal-key.pem").read_text() == second.certificate_pem


def test_registry_config_knows_a_zot_by_its_row() -> None:
    make_registry("prod", product="zot")
    assert yaml.safe_load(printed("registry_config", "prod"))["http"]["address"] == "0.0.0.0"
    assert "auth" in yaml.safe_load(printed("registry_config", "prod", "--product", "distribution"))


def ran(*words: str) -> tuple[int, str]:
    """signing_keys: its exit status and what it said."""
    out = io.StringIO()
    try:
        call_command("signing_keys", *words, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_signing_keys_says_where_a_registry_stands() -> None:
    prod = make_registry("prod")
    code, text = ran("prod")
    assert (code, "There is nothing to do" in text) == (0, True)
    code, text = ran("prod", "publish", "--algorithm", "RS256")
    assert (code, "Give prod the new file and restart it" in text) == (0, True)
    assert "published RS256" in ran("prod")[1]
    assert "PRIVATE" not in ran("prod")[1]
    assert len(bundle_pem(prod).split("BEGIN CERTIFICATE")) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("prod switch", 1, "Publish one first"),
        ("prod retire", 1, "no key that is replaced"),
        ("prod abandon", 1, "no next key"),
        ("prod probe", 1, "nothing listens there"),
        ("prod revoke", 2, "Say why"),
        ("prod probe --key NOPE", 2, "no key whose id begins with NOPE"),
        ("nowhere publish", 2, "There are: prod"),
        ("prod fly", 2, "invalid choice"),
    ],
)
def test_signing_keys_refuses_with_a_sentence_and_a_status(words: str, code: int, said: str) -> None:
    make_registry("prod", url="http://127.0.0.1:1")
    ended, text = ran(*words.split())
    assert said in text
    assert ended == code or "fly" in words  # as called from code, the parser raises without a status


def test_signing_keys_takes_a_key_out_in_an_emergency() -> None:
    prod = make_registry("prod")
    first = active_key(prod)
    assert first is not None
    code, text = ran("prod", "revoke", "--reason", "found in a log")
    assert (code, "restart it now" in text) == (0, True)
    assert first.kid not in {key["kid"] for key in jwks(prod)["keys"]}
    event = AuditEvent.objects.get(verb="signingkey.revoked")
    assert (event.actor_name, event.detail["reason"]) == ("command line", "found in a log")


def test_registry_config_says_the_same_twice() -> None:
    make_registry("prod")
    assert printed("registry_config", "prod") == printed("registry_config", "prod")


def test_a_cache_pulls_through_with_the_credential_we_keep() -> None:
    hub = make_registry("hub", "upstream", url="https://hub.example", reach=Reach.OBSERVED)
    make_registry("cache-eu", "cache", fronts=hub)
    Credential.objects.create(registry=hub, username="reader", secret='s3"cr: t')
    config = yaml.safe_load(printed("registry_config", "cache-eu"))
    assert config["proxy"] == {"remoteurl": "https://hub.example", "username": "reader", "password": 's3"cr: t'}
    assert "delete" not in config["storage"]


def test_registry_config_of_nowhere_names_what_there_is(tmp_path: Path) -> None:
    make_registry("prod")
    with pytest.raises(CommandError, match="There are: prod"):
        call_command("registry_config", "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("registry_config", "prod", keys_dir=str(tmp_path / "file" / "keys"), stdout=io.StringIO())
