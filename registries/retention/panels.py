"""What cleanup adds to the page of a tag: what the newest plan says of it, and why."""

from portal.panels import Panel, Viewer
from registries.catalog.models import Tag
from registries.retention.queries import last_word_on


def tag_panel(viewer: Viewer, key: str) -> Panel | None:
    """The newest decision about the tag as it is now; nothing where no plan spoke of it. Whoever sees the tag may see it."""
    tag = (
        Tag.objects.filter(pk=key).select_related("manifest", "repository__registry").first() if key.isdigit() else None
    )
    item = last_word_on(tag) if tag else None
    return Panel("Cleanup", "retention/tag_panel.html", {"item": item, "plan": item.plan}) if item else None
