"""Setting tags: only from where they are expected to be, and read back."""

from collections.abc import Mapping, Sequence

from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Incomplete, TagMoved
from registries.oci.manifest import Manifest


def due_tags(
    target: Client, repository: str, root: Manifest, tags: Sequence[str], expected: Mapping[str, Digest | None]
) -> list[str]:
    """Those that do not point to `root` yet; raises TagMoved when one is not where it is expected."""
    held = {tag: _held(target, repository, tag) for tag in tags}
    due = [tag for tag in tags if held[tag] != root.digest]
    for tag in due:
        if tag in expected and held[tag] != expected[tag]:
            raise TagMoved(
                f"{target.label}: {repository}:{tag} points to {held[tag] or 'nothing'}, and {expected[tag] or 'nothing'} "
                "was expected; somebody moved it, and no tag was set"
            )
    return due


def set_tag(target: Client, repository: str, tag: str, manifest: Manifest) -> None:
    target.put_manifest(repository, tag, manifest.raw, manifest.media_type)
    held = _held(target, repository, tag)
    if held != manifest.digest:
        raise Incomplete(
            f"{target.label}: {repository}:{tag} was set to {manifest.digest} and answers {held or 'nothing'}"
        )


def _held(target: Client, repository: str, tag: str) -> Digest | None:
    head = target.head_manifest(repository, tag)
    return head.digest if head else None
