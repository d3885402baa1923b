"""The people and robots come in: accounts from the command line, secrets from the pages that show them once."""

import re
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe

from portal.demo.cast import ADMIN, APPROVER, CI, CONSUMER, DEVELOPER, REQUESTER
from portal.demo.errors import DemoError
from portal.demo.forms import read_page
from portal.demo.stage import Stage

_ACCOUNTS = {
    DEVELOPER: ["--team", "payments"],
    REQUESTER: ["--team", "payments:maintainer", "--role", "release_manager"],
    APPROVER: ["--team", "platform", "--role", "release_manager"],
}
_SECRET = re.compile(r"\bpt[a-z]_[A-Za-z0-9]+_[A-Za-z0-9_-]{40,}")


def bring_in_people(stage: Stage) -> None:
    """alice, bob and carol; each makes a token on the page My access."""
    for name in _ACCOUNTS:
        stage.passwords[name] = token_urlsafe(12)
    with ThreadPoolExecutor(len(_ACCOUNTS)) as pool:
        list(pool.map(lambda name: _add_person(stage, name), _ACCOUNTS))
    for name in _ACCOUNTS:
        answer = stage.visitor(name).save("/my/access/", {"name": "demo", "days": "7"})
        stage.secrets[name] = _shown_secret(answer.text, f"the page that makes a token for {name}")


def _add_person(stage: Stage, name: str) -> None:
    arguments = ["add_person", name, f"{name}@example.com", *_ACCOUNTS[name], "--password-file", "-"]
    stage.portal.manage(*arguments, given=stage.passwords[name]).or_fail(f"manage.py add_person {name}")


def bring_in_robots(stage: Stage) -> None:
    """The robots of the topology get a secret each, and the consumer a grant: all of it in the admin."""
    admin = stage.visitor(ADMIN)
    for login in (CI, CONSUMER):
        page = robot_page(stage, login.removeprefix("robot."))
        answer = admin.save(f"{page}secret/", {"name": "demo"})
        stage.secrets[login] = _shown_secret(answer.text, f"the page that issues a secret to {login}")
    rule = {
        "effect": "allow",
        "robot": _key_of(robot_page(stage, CONSUMER.removeprefix("robot."))),
        "zone": choice(admin.read("/admin/access/accessrule/add/"), "zone", "prod"),
        "pattern": "payments/**",
        "may_pull": "on",
        "reason": "The shop runs what payments publishes.",
    }
    admin.save("/admin/access/accessrule/add/", rule)


def robot_page(stage: Stage, name: str) -> str:
    """The path of a robot's page in the admin, found by search as a person would."""
    return row_page(stage, "access/robotaccount", name)


def row_page(stage: Stage, model: str, words: str) -> str:
    """The path of the page that the admin's list shows first for these words."""
    listing = stage.visitor(ADMIN).read(f"/admin/{model}/?q={words}")
    found = re.search(rf'href="(/admin/{model}/\d+/)(?:change|review)/', listing)
    if found is None:
        raise DemoError(f"The admin's list of {model} shows nothing for {words}.")
    return found[1]


def _key_of(page: str) -> str:
    return page.rstrip("/").rpartition("/")[2]


def choice(page: str, field: str, words: str) -> str:
    """The value that a form offers under these words."""
    select = re.search(rf'<select[^>]*name="{field}".*?</select>', page, re.DOTALL)
    found = re.search(rf'<option value="(\d+)"[^>]*>\s*{re.escape(words)}\s*</option>', select[0] if select else "")
    if found is None:
        raise DemoError(f"The form offers no {words} as {field}.")
    return found[1]


def _shown_secret(text: str, where: str) -> str:
    found = _SECRET.search(text)
    if found is None:
        raise DemoError(f"No secret was shown on {where}: {'; '.join(read_page(text).errors) or 'no reason given'}.")
    return found[0]
