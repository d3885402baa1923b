"""What docs/signin.md shows can be typed, and what it says of refusals is all of them."""

import re
import tomllib
from pathlib import Path

from portal.env import Environment
from portal.oidc_settings import KEYS, OidcProvider, read_providers
from portal.users.oidc.refusals import REFUSALS
from tests.docs.test_docs import ROOT

PAGE = (ROOT / "docs/signin.md").read_text()


def test_the_file_of_the_example_reads(tmp_path: Path) -> None:
    example = re.search(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert example
    assert set(tomllib.loads(example[1])["company"]) <= KEYS
    (tmp_path / "secret").write_text("hidden")
    path = tmp_path / "providers.toml"
    path.write_text(re.sub(r'"/run/secrets/[a-z-]+"', f'"{tmp_path}/secret"', example[1]))
    found = read_providers(Environment({"PORTAL_OIDC_FILE": str(path)}))
    assert found["company"].role_groups == {"platform_admin": ("CN=Portal Admins,OU=All",)}
    assert found["partner"].group_prefix == "partner:"


def test_every_refusal_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(REFUSALS)


def test_the_defaults_are_as_told() -> None:
    fresh = OidcProvider("x", "https://x.example", "x")
    assert f"| `{','.join(fresh.scopes)}` |" in PAGE
    assert f"again | {fresh.session_hours} |" in PAGE
    assert f"objects | `{fresh.groups_claim}` |" in PAGE
