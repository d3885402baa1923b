"""An upstream image comes into the archive, pinned; and a pull goes through the cache."""

import re
from typing import Any

from portal.demo.busybox import busybox_files
from portal.demo.cast import ADMIN, DEVELOPER
from portal.demo.content import Layout, build_layout
from portal.demo.errors import DemoError
from portal.demo.scene_clients import answered_digest
from portal.demo.scene_people import choice
from portal.demo.skopeo import Skopeo, pulled_digest
from portal.demo.stage import CACHE, Stage
from portal.demo.steps import Said
from portal.demo.waiting import wait_until

UPSTREAM, TAG = "library/busybox", "1.35"
_LABELS = {"org.opencontainers.image.title": "busybox", "org.opencontainers.image.version": TAG}


def fill_hub(stage: Stage) -> Layout:
    """Somebody else's image, at somebody else's registry: pushed there past the portal."""
    layout = build_layout(stage.folder / "upstream", busybox_files(CACHE), _LABELS, TAG)
    image = f"{stage.registry('hub').host}/{UPSTREAM}:{TAG}"
    Skopeo().push(layout, image).or_fail(f"push of {image}")
    return layout


def import_into_archive(stage: Stage) -> Said:
    """The admin makes an entry with owner and reason; the portal resolves the tag once, pins it and copies."""
    layout = fill_hub(stage)
    stage.found["upstream"] = layout.digest
    admin = stage.visitor(ADMIN)
    form = admin.read("/admin/archive/archiveentry/add/")
    entry = {
        "upstream": choice(form, "upstream", "hub"),
        "upstream_repository": UPSTREAM,
        "upstream_tag": TAG,
        "archive": choice(form, "archive", "archive"),
        "repository": UPSTREAM,
        "tag": TAG,
        "owner": choice(form, "owner", "platform"),
        "reason": "Base image of the payments tools.",
    }
    admin.save("/admin/archive/archiveentry/add/", entry)
    api = stage.api(DEVELOPER)

    def look() -> Any:
        answer = api.ask("GET", f"/api/v1/repositories/archive/{UPSTREAM}/tags")
        rows = answer.json()["results"] if answer.status_code == 200 else []
        return next((row["digest"] for row in rows if row["name"] == TAG), None)

    wait_until("the archive to have it", look, seen=lambda: _state_of_entry(stage), seconds=90)
    stage.log_in(DEVELOPER, "archive")
    found = answered_digest(stage, DEVELOPER, "archive", UPSTREAM, TAG)
    if found != layout.digest:
        raise DemoError(f"The archive answers {found}; the hub has {layout.digest}.")
    return Said(f"{UPSTREAM}:{TAG} is in the archive, pinned to {found[:19]}…", {"digest": found})


def _state_of_entry(stage: Stage) -> str:
    text = re.sub(r"<[^>]+>", " ", stage.visitor(ADMIN).read("/admin/archive/archiveentry/"))
    return " ".join(text.split())[-300:]


def pull_through_cache(stage: Stage) -> Said:
    """The same image, out of the cache that fronts the hub."""
    stage.log_in(DEVELOPER, "cache-eu")
    folder = stage.folder / "cached"
    image = f"{stage.registry('cache-eu').host}/{UPSTREAM}:{TAG}"
    stage.skopeo(DEVELOPER).pull(image, folder).or_fail(f"pull of {image}")
    if pulled_digest(folder) != stage.found["upstream"]:
        raise DemoError(f"The cache gave {pulled_digest(folder)}; the hub has {stage.found['upstream']}.")
    return Said(f"{DEVELOPER} pulled {UPSTREAM}:{TAG} through cache-eu", {"digest": stage.found["upstream"]})
