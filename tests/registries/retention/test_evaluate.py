"""Which tags may go by the policies?"""

from datetime import UTC, datetime, timedelta

from registries.oci.digest import Digest
from registries.retention.evaluate import Fate, Policy, TagFact, evaluate_tags

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def tag(name: str, days: float, content: str = "") -> TagFact:
    return TagFact(name, Digest.of((content or name).encode()), NOW - days * DAY)


def fates(policies: list[Policy], *tags: TagFact, repository: str = "team/app") -> dict[str, Fate]:
    return evaluate_tags(policies, repository, tags, NOW)


def kept(policies: list[Policy], *tags: TagFact, repository: str = "team/app") -> set[str]:
    return {name for name, fate in fates(policies, *tags, repository=repository).items() if fate.is_kept}


def test_without_policies_everything_stays() -> None:
    assert fates([], tag("v1", 1000))["v1"].reason == "No policy speaks of it."
    assert kept([], tag("v1", 1000)) == {"v1"}


def test_what_has_not_moved_for_long_enough_goes() -> None:
    week = Policy("week", older_than=7 * DAY)

    assert kept([week], tag("old", 8), tag("edge", 7), tag("young", 6)) == {"young"}
    found = fates([week], tag("old", 8), tag("young", 6))
    assert found["old"].reason == "It has not moved for 8 days; it may go after 7 days."
    assert found["young"].reason == "It moved 6 days ago; it may go after 7 days."
    assert found["old"].rule == found["young"].rule == "week"


def test_a_policy_without_age_or_number_lets_nothing_go() -> None:
    assert kept([Policy("empty")], tag("v1", 1000)) == {"v1"}


def test_an_age_of_zero_lets_all_go() -> None:
    assert kept([Policy("all", older_than=timedelta())], tag("v1", 0)) == set()


def test_the_newest_stay_however_old() -> None:
    policy = Policy("newest", older_than=DAY, keep_newest=2)

    assert kept([policy], tag("a", 50), tag("b", 40), tag("c", 30)) == {"b", "c"}


def test_beyond_the_newest_all_go_when_no_age_is_given() -> None:
    assert kept([Policy("two", keep_newest=2)], tag("a", 3), tag("b", 2), tag("c", 1)) == {"b", "c"}


def test_of_two_that_moved_at_once_the_answer_does_not_depend_on_their_order() -> None:
    one = Policy("one", keep_newest=1)

    assert kept([one], tag("a", 1), tag("b", 1)) == kept([one], tag("b", 1), tag("a", 1)) == {"b"}


def test_of_what_a_registry_held_when_it_joined_the_one_built_last_is_the_newest() -> None:
    at = NOW - DAY
    old, new = (TagFact(name, Digest.of(name.encode()), at, NOW - days * DAY) for name, days in (("z", 90), ("a", 30)))

    assert kept([Policy("one", keep_newest=1)], old, new, TagFact("y", Digest.of(b"y"), at)) == {"a"}


def test_signatures_do_not_push_images_out_of_the_newest() -> None:
    signature = tag(f"sha256-{'a' * 64}.sig", 0)

    assert "v1" in kept([Policy("one", keep_newest=1)], tag("v1", 5), signature)


def test_protection_beats_deletion_whatever_the_order() -> None:
    wipe, guard = Policy("wipe", older_than=DAY, position=1), Policy("guard", protect_tag_glob="v*, latest", position=2)
    tags = [tag("v1", 9), tag("latest", 9), tag("pr-1", 9)]

    assert kept([wipe, guard], *tags) == kept([guard, wipe], *tags) == {"v1", "latest"}


def test_policies_speak_only_of_their_repositories_and_tags() -> None:
    policy = Policy("pr", repository_glob="team/*", tag_glob="pr-*", older_than=DAY)

    assert kept([policy], tag("pr-1", 9), tag("v1", 9)) == {"v1"}
    assert kept([policy], tag("pr-1", 9), repository="team/sub/app") == {"pr-1"}
    assert kept([policy], tag("pr-1", 9), repository="Team/app") == {"pr-1"}


def test_the_first_policy_that_lets_a_tag_go_is_named() -> None:
    late, early = Policy("late", older_than=DAY, position=2), Policy("early", older_than=2 * DAY, position=1)

    found = fates([late, early], tag("old", 9), tag("middle", 1.5))
    assert found["old"].rule == "early"
    assert found["middle"].rule == "late"


def test_a_tag_from_the_future_stays() -> None:
    assert "clock is wrong" in fates([Policy("all", older_than=timedelta())], tag("v1", -1))["v1"].reason
