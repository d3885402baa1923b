"""The map as a file: what is wrong with it is said at once and in place, what it asks for happens whole or not at all."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.users.models import Team
from registries.topology.file import (
    TopologyFileError,
    apply_topology,
    export_topology,
    plan_topology,
    read_topology,
    rehearse_topology,
)
from registries.topology.models import Credential, Location, Registry, Zone

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]

MAP = """
teams: {platform: {title: Platform, contact: platform@corp.example}}
locations: {eu: {title: Europe}, us: {}}
zones:
  prod: {kind: prod}
  edge: {kind: cache}
  sandbox: {kind: sandbox, defaults: [everyone pull], position: 7}
registries:
  # What others point at comes last, on purpose.
  prod-cache: {zone: edge, base_url: "https://cache.example", fronts: prod-eu, reach: enforced}
  prod-eu: {zone: prod, location: eu, base_url: "https://eu.example", primary: prod, ca_bundle: /etc/eu.pem}
  prod: {zone: prod, base_url: "https://prod.example/", owner: platform, availability_target: 99.95, reach: enforced}
  box: {zone: sandbox, base_url: "http://127.0.0.1:5000", host: box.example, sync: false}
"""


def apply(text: str) -> list[str]:
    return [str(change) for change in apply_topology(system("tester"), read_topology(text))]


def findings(work: Callable[[], object]) -> str:
    with pytest.raises(TopologyFileError) as refusal:
        work()
    return "\n".join(refusal.value.findings)


def registry(**fields: object) -> str:
    """A file with one registry; other fields are those of a good one."""
    values = {"zone": "sandbox", "base_url": "https://r.example"} | fields
    lines = "".join(f"    {name}: {value!r}\n" for name, value in values.items() if value is not None)
    return f"zones: {{sandbox: {{kind: sandbox}}}}\nregistries:\n  r:\n{lines}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zones: [", "This is not YAML"),
        ("zones: {a: \x00}", "This is not YAML"),
        ("zones: !!python/object:os.system {}", "This is not YAML"),
        ("zones: {a: 2026-99-99}", "This is not YAML"),
        ("", "The file is empty."),
        ("- zones", "Expected sections at the top of the file"),
        ("zone: {}", "zone: there is no such section; known are teams, locations, zones, registries"),
        ("1: {}", "1: there is no such section"),
        ("zones: [prod]", "zones: expected names with fields below them."),
        ("zones: {prod: prod}", "zones.prod: expected fields such as kind, title, concern."),
        ("zones: {prod: {}}", "zones.prod.kind: is missing."),
        ("zones: {prod: {kind: production}}", "zones.prod.kind: production is none of upstream, archive"),
        ("zones: {prod: {kind: prod, colour: red}}", "zones.prod.colour: there is no such field; known are kind"),
        ("zones: {prod: {kind: prod, position: first}}", "zones.prod.position: expected a whole number, got first."),
        ("zones: {prod: {kind: prod, position: true}}", "zones.prod.position: expected a whole number, got true."),
        ("zones: {prod: {kind: prod, defaults: everyone pull}}", "zones.prod.defaults: expected a list, got"),
        ("zones: {prod: {kind: prod, defaults: [all pull]}}", "zones.prod: 'all pull' is no default; write one of"),
        ("zones: {prod: {kind: prod}, prod: {kind: sandbox}}", "prod stands here twice"),
        ("zones: {prod: {kind: prod}}\nzones: {}", "zones stands here twice"),
        (registry(base_url=None), "registries.r.base_url: is missing."),
        (registry(base_url="http://[::1"), "registries.r: "),
        (registry(availability_target="most of it"), "registries.r: availability_target is 'most of it'; expected a"),
        (registry(secret_file="/nowhere"), "registries.r: secret_file needs a username beside it."),
        (registry(secret_file="/nowhere", username="us"), "secret_file names /nowhere, which cannot be read: No such"),
        (registry(secret_file="/dev/null", username="us"), "secret_file names /dev/null, which is empty."),
        (registry(secret_file="/bin/true", username="us"), "secret_file names /bin/true, which is no text."),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, sentence: str) -> None:
    assert sentence in findings(lambda: read_topology(text))


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = findings(lambda: read_topology("zones: {a: {}, b: {kind: x}}\nregistries: {r: {title: 5}}\nother: {}"))
    assert len(found.splitlines()) == 6


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zones: {No Name: {kind: prod}}", "zones.No Name.name: Use lower-case letters and digits"),
        (f"locations: {{{'x' * 65}: {{}}}}", "name: Ensure this value has at most 64 characters"),
        (registry(zone="nowhere"), "registries.r.zone: There is no zone named nowhere."),
        (registry(owner="nobody"), "registries.r.owner: There is no team named nobody."),
        (registry(location="mars"), "registries.r.location: There is no location named mars."),
        (registry(primary="other"), "registries.r.primary: There is no registry named other."),
        (registry(primary="r"), "registries.r.primary: "),
        (registry(product="nginx"), "registries.r.product: nginx is no make that we know; known are distribution"),
        (registry(availability_target=101), "registries.r.availability_target: Give a percentage between 0 and 100."),
        (registry(availability_target=-1), "registries.r.availability_target: Give a percentage"),
        (registry(base_url="ftp://r.example"), "registries.r.base_url: "),
        (registry(base_url="https://r.example/v2"), "registries.r.base_url: Give scheme and host alone"),
        (registry(base_url="https://me:pw@r.example"), "registries.r.base_url: Give scheme and host alone"),
        (registry(base_url="https://r.example:99999"), "registries.r.base_url: "),
        (registry(fronts="r"), "registries.r.fronts: "),
        (registry(username="us"), "registries.r.username: No secret is kept for this name"),
    ],
)
def test_what_cannot_be_is_refused_by_plan_and_apply_alike_and_nothing_happens(text: str, sentence: str) -> None:
    wanted = read_topology("teams: {early: {}}\n" + text)
    for attempt in (rehearse_topology, lambda wanted: apply_topology(system("tester"), wanted)):
        assert sentence in findings(lambda attempt=attempt: attempt(wanted))  # type: ignore[misc]
        assert not Team.objects.exists()
        assert not Zone.objects.exists()
        assert not AuditEvent.objects.exists()


def test_a_map_is_planned_applied_and_then_there_is_nothing_to_do() -> None:
    wanted = read_topology(MAP)
    planned = [str(change) for change in rehearse_topology(wanted)]
    assert not Zone.objects.exists()
    assert planned == apply(MAP)
    assert plan_topology(read_topology(MAP)) == []
    assert apply(MAP) == []
    cache, replica = Registry.objects.get(name="prod-cache"), Registry.objects.get(name="prod-eu")
    assert cache.fronts == replica
    assert replica.primary == Registry.objects.get(name="prod")
    assert replica.ca_bundle == "/etc/eu.pem"
    assert str(replica.primary.availability_target) == "99.950"
    assert (replica.primary.base_url, replica.primary.host) == ("https://prod.example", "prod.example")
    (event,) = AuditEvent.objects.filter(verb="topology.applied")
    assert "create registries prod-cache" in event.detail["changes"]


def test_what_is_there_can_be_written_and_read_back_elsewhere() -> None:
    apply(MAP)
    text = export_topology()
    assert plan_topology(read_topology(text)) == []
    for model in (Registry, Zone, Location, Team):
        while model.objects.exists():
            for row in model.objects.filter(**({"replicas": None, "caches": None} if model is Registry else {})):
                row.delete()
    apply(text)
    assert export_topology() == text


def test_a_change_says_before_and_after_and_leaves_the_rest_alone() -> None:
    apply(MAP)
    text = "zones: {sandbox: {kind: sandbox, title: Playground, defaults: [people push, everyone pull], position: 7}}"
    first, *others = apply(text)
    assert first.splitlines() == [
        "~ zones sandbox",
        "    title: '' -> Playground",
        "    defaults: [everyone pull] -> [everyone pull, people push]",
    ]
    assert others == ["? zones prod  (not in the file; left alone)", "? zones edge  (not in the file; left alone)"]
    assert Registry.objects.count() == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("prod-us: {zone: prod, base_url: 'https://us.example', primary: prod-eu}", "not itself and not another replica"),
        ("prod-us: {zone: sandbox, base_url: 'https://us.example', primary: prod}", "stands in the zone of its primary"),
        ("prod: {zone: prod, base_url: 'https://prod.example', primary: other}", "prod-eu follows this registry"),
        ("prod: {zone: sandbox, base_url: 'https://prod.example'}", "prod-eu follows this registry and stands in prod"),
        ("lone: {zone: edge, base_url: 'https://l.example'}", "A cache says which registry it pulls through."),
        ("box2: {zone: sandbox, base_url: 'https://b.example', fronts: prod}", "Only a registry of a cache zone fronts"),
        ("c2: {zone: edge, base_url: 'https://c.example', fronts: prod-cache, reach: enforced}", "not another cache"),
        ("c2: {zone: edge, base_url: 'https://c.example', fronts: prod}", "A cache of prod must enforce the rules"),
        ("prod-cache: {zone: edge, base_url: 'https://cache.example', fronts: prod-cache}", "not itself"),
        ("twin: {zone: sandbox, base_url: 'https://eu.example'}", "already exists"),
    ],
)  # fmt: skip
def test_replicas_and_caches_that_cannot_be_are_refused(change: str, sentence: str) -> None:
    apply(MAP + "  other: {zone: prod, base_url: 'https://other.example'}\n")
    before = export_topology()
    assert sentence in findings(lambda: apply(f"registries:\n  {change}"))
    assert export_topology() == before


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("sesame\n")
    return tmp_path / "secret"


def test_a_secret_comes_from_a_file_and_appears_nowhere(secret_file: Path) -> None:
    text = registry(username="us", secret_file=str(secret_file))
    shown = "\n".join(apply(text))
    assert Credential.objects.get().secret == "sesame"
    assert plan_topology(read_topology(text)) == []
    exported = export_topology()
    assert "sesame" not in shown + exported + str(AuditEvent.objects.values())
    assert plan_topology(read_topology(exported)) == []

    secret_file.write_text("other")
    assert "secret_file" in apply(text)[0]
    assert Credential.objects.get().secret == "other"
    apply(registry(username="them"))
    assert (Credential.objects.get().username, Credential.objects.get().secret) == ("them", "other")
    apply(registry())
    assert not Credential.objects.exists()
    assert plan_topology(read_topology(registry())) == []


def test_a_secret_whose_key_is_gone_can_still_be_planned_around_and_replaced(
    secret_file: Path, settings: Settings
) -> None:
    text = registry(username="us", secret_file=str(secret_file))
    apply(text)
    settings.PORTAL_ENCRYPTION_KEYS = ["b3RoZXItdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="]
    assert "username: us" in export_topology()
    apply(text)
    assert Credential.objects.get().secret == "sesame"
    settings.PORTAL_ENCRYPTION_KEYS = ["a25vd24tdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="]
    apply(registry())
    assert not Credential.objects.exists()


def test_the_topology_command_plans_applies_and_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(MAP)
    call_command("topology", "plan", str(path))
    assert "10 entries would change; apply makes it so." in capsys.readouterr().out
    assert not Zone.objects.exists()
    call_command("topology", "apply", str(path))
    assert "10 entries changed." in capsys.readouterr().out
    call_command("topology", "apply", str(path))
    assert capsys.readouterr().out.endswith("Nothing to change.\n")
    call_command("topology", "export", str(tmp_path / "out.yaml"))
    call_command("topology", "plan", str(tmp_path / "out.yaml"))
    assert capsys.readouterr().out.endswith("Nothing would change.\n")


def test_the_topology_command_reads_standard_input_and_says_what_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("zones: {prod: {kind: nonsense}}"))
    with pytest.raises(CommandError, match=r"zones\.prod\.kind: nonsense is none of"):
        call_command("topology", "plan", "-")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("missing", "binary", "."):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("topology", "plan", str(tmp_path / name))
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("topology", "export", str(tmp_path / "no" / "folder"))
