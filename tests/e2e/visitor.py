"""Somebody at a browser who notices everything: complaints of the console and the content policy, requests that leave the house,
pages wider than the window, and what axe finds."""

from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, Request

from portal.users.models import User

Scheme = Literal["light", "dark"]
GRAVE = ("serious", "critical")
# Late policy violations reach the console too; this also catches those of workers and frames.
LISTEN = """addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


class Visitor:
    """One person in one window; ``faults`` grows while pages are looked at."""

    def __init__(self, browser: Browser, address: str, user: User | None, width: int, scheme: Scheme) -> None:
        self.address, self.width = address, width
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.add_init_script(LISTEN)
        if user is not None:
            self.context.add_cookies([_session(user, address)])
        self.faults: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self._complaint(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"{self._here}: {error}"))
        self.page.on("request", self._request)
        self.expected = 200

    @property
    def _here(self) -> str:
        return f"{urlsplit(self.page.url).path} at {self.width}"

    def _complaint(self, kind: str, text: str) -> None:
        if kind == "error" and not (self.expected >= 400 and f"status of {self.expected}" in text):
            self.faults.append(f"{self._here}: {text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "about:")):
            self.faults.append(f"{self._here}: asks for {request.url}")

    def open(self, path: str, *, status: int = 200) -> Page:
        self.expected = status
        answer = self.page.goto(self.address + path)
        if answer is None or answer.status != status:
            self.faults.append(f"{path}: answers {answer.status if answer else 'nothing'}, not {status}")
        return self.page

    def look(self) -> None:
        """Notice what is wrong with the page that is open."""
        self.measure(self.width)
        found: list[dict[str, Any]] = (
            Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        )
        for rule in found:
            if rule["impact"] in GRAVE:
                shown = "; ".join(node["html"][:160] for node in rule["nodes"][:3])
                self.faults.append(f"{self._here}: {rule['id']} ({len(rule['nodes'])}): {shown}")

    def measure(self, width: int) -> None:
        """Nothing sticks out to the right."""
        self.page.set_viewport_size({"width": width, "height": 900})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self.faults.append(f"{self._here}: {wide} wide in a window of {width}")
        self.page.set_viewport_size({"width": self.width, "height": 900})


def _session(user: User, address: str) -> Any:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": address,
    }
