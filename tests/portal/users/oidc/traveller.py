"""Somebody's browser as Django's client, and the way to a provider and back over real HTTP."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client

Answer = Any  # of the test client, whose own type hides what it adds
LOGIN = "/accounts/oidc/{key}/login/"


class Traveller:
    """Without cookies at first."""

    def __init__(self, key: str = "company") -> None:
        self.client, self.key = Client(), key

    def set_out(self, **query: str) -> str:
        """The address at the provider that the portal sends the browser to."""
        answer = self.client.post(LOGIN.format(key=self.key), query_params=query)
        found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', answer.content.decode())
        assert found, answer.content.decode()
        return html.unescape(found[1])

    def ask(self, address: str) -> str:
        """Where the provider sends the browser back to, as an address at the portal."""
        answer = requests.get(address, allow_redirects=False, timeout=20)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, **query: str) -> Answer:
        """All the way; the portal's answer to the browser that came back."""
        return self.client.get(self.ask(self.set_out(**query)))

    @property
    def name(self) -> str:
        """Who is signed in here now, or nothing."""
        from django.contrib.auth import get_user

        class Request:
            session = self.client.session

        user: Any = get_user(Request())  # type: ignore[arg-type]
        return str(user.username)


def words(answer: Answer) -> str:
    """What is on a page, as one line."""
    body = answer.content.decode().partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
