"""Names and digests are bytes: what differs in one letter's case differs, in order and in search as well."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.catalog.models import Manifest, Repository
from registries.fields import _after
from registries.oci.digest import Digest
from registries.topology.models import Registry, Zone

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def registry() -> Registry:
    zone = Zone.objects.create(name="sandbox", kind="sandbox")
    return Registry.objects.create(name="sandbox", zone=zone, base_url="http://h", host="h", service="h")


def name_all(registry: Registry, *names: str) -> QuerySet[Repository]:
    Repository.objects.bulk_create(Repository(registry=registry, name=name) for name in names)
    return Repository.objects.filter(registry=registry)


def names(rows: QuerySet[Repository]) -> list[str]:
    return list(rows.order_by("name").values_list("name", flat=True))


def test_names_that_differ_in_case_are_two(registry: Registry) -> None:
    rows = name_all(registry, "Team/app", "team/app")
    assert rows.get(name="Team/app") != rows.get(name="team/app")
    with pytest.raises(IntegrityError), transaction.atomic():
        name_all(registry, "team/app")


def test_names_are_in_the_order_of_their_bytes(registry: Registry) -> None:
    """Also where the server's own language would put "a_b" beside "ab", and "ä" beside "a"."""
    spelt = ["B", "Z/a", "_x", "a", "a-b", "a.b", "a/b", "a_b", "ab", "b", "z", "ä", "日本"]
    rows = name_all(registry, *reversed(spelt))
    assert names(rows) == sorted(spelt, key=lambda name: name.encode()) == spelt
    assert names(rows.filter(name__gt="a_b", name__lt="z")) == ["ab", "b"]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("team/", ["team/%", "team/_", "team/a", "team/日本"]),
        ("Team/", ["Team/a"]),
        ("team/%", ["team/%"]),
        ("team/_", ["team/_"]),
        ("team/日", ["team/日本"]),
        ("team/日本x", []),
        ("t", ["team", "team-b/a", "team/%", "team/_", "team/a", "team/日本"]),
        ("", ["Team/a", "team", "team-b/a", "team/%", "team/_", "team/a", "team/日本"]),
        ("'; --", []),
    ],
)
def test_a_prefix_means_exactly_itself(registry: Registry, prefix: str, found: list[str]) -> None:
    rows = name_all(registry, "team/a", "Team/a", "team/%", "team/_", "team-b/a", "team", "team/日本")
    assert names(rows.filter(name__prefix=prefix)) == found
    assert sorted(found) == names(Repository.objects.filter(pk__in=rows.filter(name__prefix=prefix)))
    assert names(rows.exclude(name__prefix=prefix)) == names(rows.exclude(name__in=found))


def test_a_prefix_reaches_through_relations_and_beside_other_conditions(registry: Registry) -> None:
    name_all(registry, "team/a", "other/a")
    found = Repository.objects.filter(registry__host__prefix="h", name__prefix="team/", registry__name="sandbox")
    assert [row.name for row in found] == ["team/a"]


def test_a_prefix_is_served_by_the_index(registry: Registry) -> None:
    name_all(registry, *(f"team{number}/app" for number in range(50)))
    plan = Repository.objects.filter(registry=registry, name__prefix="team7/").explain()
    if connection.vendor == "sqlite":
        assert "name>? AND name<?" in plan
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Repository.objects.filter(registry=registry, name__prefix="team7/").explain()
        assert "Index Cond" in plan
        assert "team8" not in plan.partition("Filter:")[2]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(prefix=st.text(min_size=1, max_size=4), rest=st.text(max_size=3), other=st.text(max_size=6))
def test_the_end_of_a_range_is_after_all_with_the_prefix_and_before_all_others(
    prefix: str, rest: str, other: str
) -> None:
    end = _after(prefix)
    if end is not None:
        end.encode()
        assert prefix.encode() <= (prefix + rest).encode() < end.encode()
        if other.encode() > prefix.encode() and not other.startswith(prefix):
            assert other.encode() >= end.encode()
    else:
        assert set(prefix) == {chr(0x10FFFF)}


@pytest.mark.parametrize("prefix", ["a\U0010ffff", "\U0010ffff", "a\ud7ff"])
def test_a_prefix_that_ends_at_the_end_of_an_alphabet(registry: Registry, prefix: str) -> None:
    rows = name_all(registry, prefix, prefix + "x", "a", "b")
    assert names(rows.filter(name__prefix=prefix)) == [prefix, prefix + "x"]


def test_digests_come_back_as_digests(registry: Registry) -> None:
    digest = Digest.of(b"something")
    row = Manifest.objects.create(digest=str(digest), media_type="x", kind="image", size_bytes=1)
    read = Manifest.objects.get(digest=digest)
    assert isinstance(read.digest, Digest)
    assert read.digest == digest
    assert Manifest.objects.filter(digest__prefix=str(digest)[:15]).get() == row
    assert Manifest.objects.filter(digest__in=[digest, Digest.of(b"other")]).count() == 1
    assert isinstance(Manifest.objects.annotate(same=F("digest")).get().same, Digest)


@pytest.mark.parametrize("bad", ["sha256:ABC", "sha256:" + "g" * 64, "md5:" + "0" * 32, "latest", "sha256:" + "A" * 64])
def test_what_is_no_digest_is_not_stored_and_not_asked_for(registry: Registry, bad: str) -> None:
    with pytest.raises(ValidationError, match="is not a digest"):
        Manifest.objects.create(digest=bad, media_type="x", kind="image", size_bytes=1)
    with pytest.raises(ValidationError, match="is not a digest"):
        Manifest.objects.filter(digest=bad).exists()
