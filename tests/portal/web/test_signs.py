"""Sizes, ages, counts and digests are written one way."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.web.signs import age_text, count_text, number_text, short_digest, size_text
from portal.web.text_width import fit, text_width, wrap

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (100 * 1024, "100 KiB"), (1 << 20, "1.0 MiB"),
        ((1 << 20) - 1, "1.0 MiB"), (5 << 40, "5.0 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_binary_with_few_figures(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "just now"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (86400 * 3, "3 d ago"),
        (86400 * 90, "2 months ago"),
        (-7200, "in 2 h"),
    ],
)
def test_ages_are_rounded_down(seconds: int, text: str) -> None:
    assert age_text(NOW - timedelta(seconds=seconds), NOW) == text


def test_counts_know_one_from_many() -> None:
    assert count_text(1, "repository", "repositories") == "1 repository"
    assert count_text(0, "repository", "repositories") == "0 repositories"
    assert number_text(1234567) == "1\u202f234\u202f567"


def test_a_digest_is_shown_by_its_first_twelve_characters() -> None:
    assert short_digest("sha256:" + "0123456789abcdef" * 4) == "0123456789ab"


def test_texts_are_made_to_fit() -> None:
    assert fit("prod", 100, 14) == "prod"
    short = fit("a-very-long-name-of-a-registry", 80, 14)
    assert short.endswith("…")
    assert text_width(short, 14) <= 80
    assert wrap("one two three four five six", 60, 12, 2)[-1].endswith("…")
    assert wrap("", 60, 12, 2) == ()
