"""From ci-snapshots to prod and its regions: asked by CI, decided by people on the review page, read back by anybody."""

from typing import Any

from portal.demo.cast import APPROVER, CI, DEVELOPER, REPOSITORY, REQUESTER, VERSION
from portal.demo.errors import DemoError
from portal.demo.forms import read_page
from portal.demo.scene_clients import verify_at
from portal.demo.scene_people import row_page
from portal.demo.stage import Stage
from portal.demo.steps import Said
from portal.demo.waiting import wait_until

REGIONS = ("prod-eu", "prod-us")
_ENDED_BADLY = {"blocked", "rejected", "failed", "cancelled", "expired"}


def see_in_catalog(stage: Stage) -> Said:
    """The portal has read the registry: tag, digest and platforms."""
    digest = stage.built_image().digest
    api = stage.api(DEVELOPER)
    path = f"/api/v1/repositories/ci-snapshots/{REPOSITORY}/tags"

    def look() -> str | None:
        answer = api.ask("GET", path)
        rows = answer.json()["results"] if answer.status_code == 200 else []
        return next((row["digest"] for row in rows if row["name"] == VERSION), None)

    found = wait_until(f"{REPOSITORY}:{VERSION} in the catalog of ci-snapshots", look)
    if found != digest:
        raise DemoError(f"The catalog shows {found}; CI had pushed {digest}.")
    platforms = [row["platform"] for row in api.get(f"/api/v1/manifests/{digest}")["platforms"]]
    return Said(f"the catalog shows {REPOSITORY}:{VERSION} for {' and '.join(platforms)}", {"digest": digest})


def ask_for_promotion(stage: Stage) -> Said:
    """CI, on behalf of bob, who started the job."""
    body = {
        "path": "snapshots-to-prod",
        "source": {"repository": REPOSITORY, "digest": stage.built_image().digest, "tag": VERSION},
        "target": {"tags": [VERSION]},
        "on_behalf_of": f"{REQUESTER}@example.com",
        "ci": {"pipeline_url": "https://ci.example.com/payments/tool/71", "ref": f"refs/tags/v{VERSION}"},
        "changelog": "First release.",
    }
    asked = stage.api(CI).post("/api/v1/promotions", body)
    stage.found["promotion"] = asked["id"]
    asked = wait_until(
        "the gates to be evaluated",
        lambda: state if (state := _promotion(stage))["state"] != "evaluating" else None,
    )
    if asked["state"] != "awaiting_approval":
        raise DemoError(f"The request is {asked['state']}: {asked['reason']}")
    passed = sum(gate["status"] == "pass" for gate in stage.api(CI).get(_path(stage) + "/gates"))
    return Said(f"CI asked on behalf of {REQUESTER}; {passed} gates passed", {"request": asked["id"], "gates": passed})


def fail_to_approve_own(stage: Stage) -> Said:
    """bob is a release manager, but it is his own job: the page says so, and a form sent all the same is refused."""
    page = _review_path(stage)
    text = stage.visitor(REQUESTER).read(page)
    if 'value="approve"' in text:
        raise DemoError(f"The review page offers {REQUESTER} to approve what was asked on his own behalf.")
    seen = _promotion(stage)
    body = {"decision": "approve", "version": seen["version"], "evidence_digest": seen["evidence_digest"]}
    answer = stage.api(REQUESTER).ask("POST", _path(stage) + "/decisions", body)
    if answer.status_code != 403:
        raise DemoError(f"{REQUESTER} tried to approve his own request and was answered {answer.status_code}.")
    reason = str(answer.json()["detail"])
    return Said(f"{REQUESTER} was refused: {reason}", {"reason": reason})


def approve(stage: Stage) -> Said:
    """carol, on the review page of the admin; then the pipeline does its work."""
    answer = stage.visitor(APPROVER).fill_in(_review_path(stage), {"comment": "Checked.", "decision": "approve"})
    if answer.status_code >= 400:
        raise DemoError(f"{APPROVER} could not approve: {'; '.join(read_page(answer.text).errors)}")
    done = wait_until(
        "the promotion to reach prod",
        lambda: _reached(_promotion(stage)),
        seen=lambda: f"state {_promotion(stage)['state']}: {_promotion(stage)['reason']}",
        seconds=90,
    )
    return Said(f"{APPROVER} approved; the request is {done['state']}", {"state": done["state"]})


def verify_prod(stage: Stage) -> Said:
    return verify_at(stage, "prod")


def verify_regions(stage: Stage) -> Said:
    """The portal says that both are complete; then they are asked directly."""
    digest = stage.built_image().digest
    query = {"digest": digest, "repository": REPOSITORY, "registries": ",".join(("prod", *REGIONS))}

    def ready() -> Any:
        answer = stage.api(CI).get("/api/v1/ready", **query)
        return answer if answer["is_ready"] else None

    wait_until("prod-eu and prod-us to be complete", ready, seen=lambda: _lacking(stage, query), seconds=90)
    said = verify_at(stage, *REGIONS)
    done = wait_until(
        "the request to be completed", lambda: found if (found := _promotion(stage))["state"] == "completed" else None
    )
    return Said(said.sentence, {**said.facts, "state": done["state"]})


def _lacking(stage: Stage, query: dict[str, str]) -> str:
    rows = stage.api(CI).get("/api/v1/ready", **query)["registries"]
    return "; ".join(f"{row['registry']}: {row['reason']}" for row in rows)


def _reached(promotion: Any) -> Any:
    if promotion["state"] in _ENDED_BADLY:
        raise DemoError(f"The request is {promotion['state']}: {promotion['reason']}")
    return promotion if promotion["state"] in {"promoted", "completed"} else None


def _promotion(stage: Stage) -> Any:
    return stage.api(CI).get(_path(stage))


def _path(stage: Stage) -> str:
    return f"/api/v1/promotions/{stage.found['promotion']}"


def _review_path(stage: Stage) -> str:
    """As in the mail that the approvers get: the admin's page of this request."""
    if "review" not in stage.found:
        stage.found["review"] = f"{row_page(stage, 'promotions/promotionrequest', stage.found['promotion'])}review/"
    return stage.found["review"]
