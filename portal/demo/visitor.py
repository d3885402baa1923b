"""One person at the portal: signs in on the login page, opens pages, fills in forms. Or a program with a secret at the API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from portal.demo.errors import DemoError, one_line
from portal.demo.forms import Form, Page, read_page

_TIMEOUT_SECONDS = 30
Values = Mapping[str, str | list[str]]


class Visitor:
    """A browser without a screen: keeps cookies, sends what the page's forms would send."""

    def __init__(self, portal_url: str, name: str = "somebody") -> None:
        self.portal_url, self.name = portal_url, name
        self._session = requests.Session()
        self._session.trust_env = False

    def sign_in(self, password: str) -> None:
        """By the login form, under the visitor's name."""
        answer = self.fill_in("/accounts/login/", {"login": self.name, "password": password})
        if urlsplit(answer.url).path.startswith("/accounts/login"):
            raise DemoError(f"{self.name} could not sign in: {_complaint(answer)}")

    def open(self, path: str) -> requests.Response:
        """A page, as it is answered; redirects are followed."""
        return self._session.get(urljoin(self.portal_url, path), timeout=_TIMEOUT_SECONDS)

    def read(self, path: str) -> str:
        """A page that has to open."""
        answer = self.open(path)
        if answer.status_code != 200:
            raise DemoError(f"{self.name} asked for {path} and got {answer.status_code}: {_complaint(answer)}")
        return answer.text

    def fill_in(self, path: str, values: Values, button: str = "") -> requests.Response:
        """Fills in the page's form that has these fields and presses a button of it. The answer is not judged."""
        page = read_page(self.read(path))
        wanted = [name for name in (*values, button) if name]
        form = page.form_with(*wanted)
        if form is None:
            known = _field_names(page)
            raise DemoError(f"The page {path} has no form with {', '.join(wanted)}; it has: {known}.")
        return self._send(path, form, values, button)

    def press(self, path: str, action: str) -> requests.Response:
        """Sends, untouched, the form of the page that goes to ``action``. The answer is not judged."""
        form = next((form for form in read_page(self.read(path)).forms if form.action == action), None)
        if form is None:
            raise DemoError(f"The page {path} has no form that goes to {action}.")
        return self._send(path, form, {}, "")

    def save(self, path: str, values: Values, button: str = "") -> requests.Response:
        """As ``fill_in``, and it has to be accepted: no complaint on the page that comes back."""
        answer = self.fill_in(path, values, button)
        if answer.status_code >= 400 or read_page(answer.text).errors:
            raise DemoError(f"{self.name} was refused at {path}: {_complaint(answer)}")
        return answer

    def _send(self, path: str, form: Form, values: Values, button: str) -> requests.Response:
        here = urljoin(self.portal_url, path)
        return self._session.request(
            form.method,
            urljoin(here, form.action),
            data=form.filled(values, button),
            # Django compares it for forms over TLS, and a browser sends it.
            headers={"Referer": here},
            timeout=_TIMEOUT_SECONDS,
        )


class ApiUser:
    """A program at the API, with the secret of a robot account or a personal token."""

    def __init__(self, portal_url: str, secret: str) -> None:
        self._portal_url = portal_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Authorization": f"Bearer {secret}", "Accept": "application/json"})

    def ask(self, method: str, path: str, body: object = None, **query: str) -> requests.Response:
        """Whatever the answer is."""
        url = urljoin(self._portal_url, path)
        return self._session.request(method, url, json=body, params=query, timeout=_TIMEOUT_SECONDS)

    def get(self, path: str, **query: str) -> Any:
        return self._accepted(self.ask("GET", path, **query))

    def post(self, path: str, body: object) -> Any:
        return self._accepted(self.ask("POST", path, body))

    def _accepted(self, answer: requests.Response) -> Any:
        if answer.status_code >= 400:
            asked = f"{answer.request.method} {urlsplit(answer.url).path}"
            raise DemoError(f"{asked} was answered {answer.status_code}: {one_line(answer.text, 300)}")
        return answer.json()


def _complaint(answer: requests.Response) -> str:
    errors = read_page(answer.text).errors
    return one_line("; ".join(errors), 300) or f"status {answer.status_code}, without a reason on the page"


def _field_names(page: Page) -> str:
    names = {name for form in page.forms for name in (*form.fields, *form.buttons)} - {"csrfmiddlewaretoken"}
    return ", ".join(sorted(names)) or "no form at all"
