"""The sandbox is cleaned by age: a policy, a plan to be looked at, its execution - and the registry is asked afterwards."""

import re

from portal.demo.cast import ADMIN, DEVELOPER, REPOSITORY, VERSION
from portal.demo.errors import DemoError
from portal.demo.forms import read_page
from portal.demo.scene_people import choice
from portal.demo.stage import Stage
from portal.demo.steps import Said
from portal.demo.waiting import wait_until

_PLANS = "/admin/retention/plan/"


def clean_sandbox(stage: Stage) -> Said:
    """Everything in the sandbox is older than the story's policy allows; nothing of ci-snapshots or prod may go with it."""
    admin = stage.visitor(ADMIN)
    wait_until("the sandbox in the catalog", lambda: True if _catalogued(stage) else None)
    answer = admin.save(f"{_PLANS}add/", {"registry": choice(admin.read(f"{_PLANS}add/"), "registry", "sandbox")})
    found = re.search(rf"{_PLANS}\d+/", answer.url)
    if found is None:
        raise DemoError(f"The plan was not made: {'; '.join(read_page(answer.text).errors)}")
    page = f"{found[0]}change/"
    text = wait_until(
        "the plan",
        lambda: text if "execute/" in (text := admin.read(page)) else None,
        seen=lambda: _words(admin.read(page)),
    )
    if REPOSITORY not in text:
        raise DemoError(f"The plan does not speak of {REPOSITORY}: {_words(text)}")
    answer = admin.press(page, f"{found[0]}execute/")
    if answer.status_code >= 400:
        raise DemoError(f"The plan could not be executed: {answer.status_code}")
    image = f"{stage.registry('sandbox').host}/{REPOSITORY}:{VERSION}"
    wait_until(
        f"{image} to be gone",
        lambda: True if "manifest unknown" in stage.skopeo(DEVELOPER).raw_manifest(image).complaint else None,
        seen=lambda: _words(admin.read(page)),
        seconds=60,
    )
    return Said(f"{REPOSITORY}:{VERSION} is gone from the sandbox, by a plan that said so first", {"plan": found[0]})


def _catalogued(stage: Stage) -> bool:
    answer = stage.api(DEVELOPER).ask("GET", f"/api/v1/repositories/sandbox/{REPOSITORY}/tags")
    return answer.status_code == 200 and any(row["name"] == VERSION for row in answer.json()["results"])


def _words(text: str) -> str:
    """The page's main part without its tags, for a complaint."""
    main = text[text.find("<main") :] if "<main" in text else text
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())[:300]
