"""Files of users, as people have them."""

import time

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries.access.adopt.htpasswd import MAX_FILE_BYTES, NoHtpasswdError, read_htpasswd

HASH = "$2y$05$abcdefghijklmnopqrstuuO5QXO1Y9UuYV1mXGq6W8D1NyjX0YVUu"
OTHER = "$2a$10$abcdefghijklmnopqrstuuO5QXO1Y9UuYV1mXGq6W8D1NyjX0YVUu"


def names(text: str) -> list[str]:
    return [entry.username for entry in read_htpasswd(text.encode()).entries]


def reasons(text: str) -> dict[int, str]:
    return {row.line: row.reason for row in read_htpasswd(text.encode()).unusable}


def test_comments_blank_lines_and_windows_line_ends_are_no_users() -> None:
    text = f"# our users\r\n\r\n  \r\npayments-ci:{HASH}\r\n  # retired:{HASH}\r\nShop.Reader:{OTHER}"
    assert names(text) == ["payments-ci", "Shop.Reader"]
    entries = read_htpasswd(text.encode()).entries
    assert [(entry.line, entry.cost) for entry in entries] == [(4, 5), (6, 10)]
    assert entries[0].password_hash == HASH


def test_what_htpasswd_writes_is_read() -> None:
    made = bcrypt.hashpw(b"old-secret", bcrypt.gensalt(4)).decode()
    for prefix in ("$2a", "$2b", "$2y"):
        assert names(f"robbie:{made.replace('$2b', prefix)}") == ["robbie"]


def test_of_a_name_that_stands_twice_the_last_line_counts_as_in_the_registry() -> None:
    found = read_htpasswd(f"mona:{HASH}\nzed:{HASH}\nmona:{OTHER}\n".encode())
    assert {entry.username: entry.password_hash for entry in found.entries} == {"zed": HASH, "mona": OTHER}
    assert [(row.line, row.username) for row in found.unusable] == [(1, "mona")]
    assert "stands again in line 3" in found.unusable[0].reason


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        ("$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "MD5"), ("{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "SHA-1"),
        ("rqXexS6ZhobKA", "crypt"), ("$5$abc$def", "SHA-256"), ("$6$abc$def", "SHA-512"), ("$2y$05$short", "broken"),
        ("$2x$05$abcdefghijklmnopqrstuuO5QXO1Y9UuYV1mXGq6W8D1NyjX0YVUu", "flawed"), ("plain text", "no hash that we know"),
        ("", "no hash that we know"),
    ],
)  # fmt: skip
def test_other_hashes_are_told_with_the_reason_and_never_shown(stored: str, kind: str) -> None:
    text = f"old:{stored}\nrobbie:{HASH}\n"
    assert names(text) == ["robbie"]
    assert kind in reasons(text)[1]
    assert not stored or stored not in reasons(text)[1]


def test_names_may_hold_blanks_and_any_script_and_end_at_the_first_colon() -> None:
    assert names(f"our build server:{HASH}\n日本:{HASH}\nMona:{HASH}\nmona:{HASH}") == [
        "our build server", "日本", "Mona", "mona"
    ]  # fmt: skip
    assert "no hash" in reasons(f"a:b:{HASH}\nrobbie:{HASH}")[1]


@pytest.mark.parametrize("bad", ["", "x" * 256, "evil\x1b[31m", "nul\0"])
def test_names_that_cannot_be_told_are_left(bad: str) -> None:
    text = f"{bad}:{HASH}\nrobbie:{HASH}"
    assert names(text) == ["robbie"]
    assert "the name" in reasons(text)[1]
    assert "\x1b" not in read_htpasswd(text.encode()).unusable[0].username


def test_a_hash_that_costs_seconds_is_left() -> None:
    assert "seconds of a processor" in reasons(f"slow:{HASH.replace('$05$', '$20$')}\nrobbie:{HASH}")[1]


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"hello", b"\x7fELF\x02\x01\x01", b"key: value\nother: thing\n", b"http://registry.example\n", b"x" * 100_000],
)  # fmt: skip
def test_what_is_no_htpasswd_file_is_refused(data: bytes) -> None:
    with pytest.raises(NoHtpasswdError, match="no htpasswd file"):
        read_htpasswd(data)


def test_a_line_of_a_hundred_megabytes_is_refused_before_it_is_looked_at() -> None:
    started = time.monotonic()
    with pytest.raises(NoHtpasswdError, match="larger than 8 MiB"):
        read_htpasswd(b"x" * (100 << 20))
    assert time.monotonic() - started < 1
    with pytest.raises(NoHtpasswdError, match="no htpasswd file"):
        read_htpasswd(b"x" * MAX_FILE_BYTES)


def test_ten_thousand_users_are_read_at_once() -> None:
    text = "".join(f"job-{number}:{HASH}\n" for number in range(10_000))
    assert len(names(text)) == 10_000


@given(st.binary(max_size=2000))
def test_nothing_breaks_it(data: bytes) -> None:
    try:
        found = read_htpasswd(data + f"\nrobbie:{HASH}\n".encode())
    except NoHtpasswdError:
        return
    assert all(entry.username.isprintable() for entry in found.entries)
    assert all(row.username.isprintable() for row in found.unusable)
