"""Setting tags: only from where they are expected to be, and read back."""

from collections.abc import Callable, Mapping, Sequence

from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Incomplete, TagMoved
from registries.oci.manifest import Manifest


def set_tags(
    target: Client,
    repository: str,
    root: Manifest,
    tags: Sequence[str],
    expected: Mapping[str, Digest | None],
    before_tag: Callable[[], None] | None,
) -> None:
    held = {tag: head.digest if (head := target.head_manifest(repository, tag)) else None for tag in tags}
    due = [tag for tag in tags if held[tag] != root.digest]
    for tag in due:
        if tag in expected and held[tag] != expected[tag]:
            raise TagMoved(
                f"{target.label}: {repository}:{tag} points to {held[tag] or 'nothing'}, and {expected[tag] or 'nothing'} "
                "was expected; somebody moved it, and no tag was set"
            )
    if due and before_tag is not None:
        before_tag()
    for tag in due:
        set_tag(target, repository, tag, root)


def set_tag(target: Client, repository: str, tag: str, manifest: Manifest) -> None:
    target.put_manifest(repository, tag, manifest.raw, manifest.media_type)
    held = target.head_manifest(repository, tag)
    if held is None or held.digest != manifest.digest:
        found = held.digest if held else "nothing"
        raise Incomplete(f"{target.label}: {repository}:{tag} was set to {manifest.digest} and answers {found}")
