"""What each floor adds to a page: in order, once, and only where it has something to say."""

import pytest
from django.contrib.auth.models import AnonymousUser

from portal import panels
from portal.panels import Panel, Viewer, panels_for, register


@pytest.fixture(autouse=True)
def no_other_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_providers", {})


def holds(viewer: Viewer, key: str) -> Panel | None:
    return Panel("Holds", "holds.html", {"digest": key})


def scans(viewer: Viewer, key: str) -> Panel | None:
    return Panel("Scans", "scans.html") if viewer.is_authenticated else None


def test_panels_come_in_order_with_what_they_were_asked_about() -> None:
    register("digest", holds, order=50)
    register("digest", lambda viewer, key: Panel("Tags", "tags.html"), order=10)
    register("tag", scans)
    found = panels_for("digest", AnonymousUser(), "sha256:aa")
    assert [panel.title for panel in found] == ["Tags", "Holds"]
    assert found[1].context == {"digest": "sha256:aa"}


def test_who_may_not_see_it_gets_nothing() -> None:
    register("digest", scans)
    assert panels_for("digest", AnonymousUser(), "sha256:aa") == []
    assert panels_for("nowhere", AnonymousUser()) == []


def test_an_app_that_is_loaded_twice_shows_its_panel_once() -> None:
    register("digest", holds)
    register("digest", holds)
    assert len(panels_for("digest", AnonymousUser())) == 1
