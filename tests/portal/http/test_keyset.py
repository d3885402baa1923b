"""Every row comes once, in order, whichever way the pages are turned, and with rows that have no value in the ordering field."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from portal.http.keyset import BadCursorError, Cursor, Keyset, read_cursor
from portal.users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def people() -> list[User]:
    """Two by two alike in when they last came; some never came."""
    now = timezone.now()
    came = [None, now, now, now - timedelta(days=1), None, now - timedelta(days=1), None]
    return [
        User.objects.create(username=f"p{number}", email=f"p{number}@example.com", last_login=at)
        for number, at in enumerate(came)
    ]


@pytest.mark.parametrize("terms", [("last_login", "pk"), ("-last_login", "pk"), ("-last_login", "-pk"), ("-pk",)])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_forth_and_back_again(people: list[User], terms: tuple[str, ...], size: int) -> None:
    keyset, rows = Keyset(terms), User.objects.all()
    whole = list(keyset.ordered(rows))
    pages = [keyset.page(rows, None, size)]
    while pages[-1].has_next:
        pages.append(keyset.page(rows, keyset.cursor(pages[-1].rows[-1]), size))
    assert [row for page in pages for row in page.rows] == whole
    for before, page in pairwise(pages):
        back = keyset.page(rows, keyset.cursor(page.rows[0], is_backward=True), size)
        assert back.rows == before.rows
        assert (back.has_previous, back.has_next) == (before is not pages[0], True)


def test_rows_without_a_value_come_last(people: list[User]) -> None:
    for terms in (("last_login", "pk"), ("-last_login", "pk")):
        assert [row.last_login for row in Keyset(terms).ordered(User.objects.all())][-3:] == [None] * 3


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_cursor_survives_an_address(is_backward: bool) -> None:
    cursor = Cursor(("a/ß", 7, None), is_backward)
    assert read_cursor(cursor.encoded()) == cursor


@pytest.mark.parametrize("said", [{"x": 1}, {"before": 3}, 7, None, "text", [[1]], [{}], [1.5]])
def test_what_is_no_cursor_is_refused(said: object) -> None:
    with pytest.raises(BadCursorError):
        read_cursor(urlsafe_b64encode(json.dumps(said).encode()).decode())


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadCursorError):
        read_cursor(urlsafe_b64encode(b"[" * 100_000).decode())


@pytest.mark.parametrize("values", [("x",), (1, 2), (), ("9" * 40,)])
def test_the_cursor_of_another_list_is_refused_or_leads_nowhere(
    people: list[User], values: tuple[str | int, ...]
) -> None:
    try:
        page = Keyset(("pk",)).page(User.objects.all(), Cursor(values), 5)
    except BadCursorError:
        return
    assert not page.rows
