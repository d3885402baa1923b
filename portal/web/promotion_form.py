"""The form by which a person asks for a promotion."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404

from portal.globs import matches
from portal.users.models import User
from portal.web.asked import clean
from promotions.workflow.models import PromotionPath
from registries.catalog.models import Repository, Tag
from registries.catalog.queries import repositories_seen_by


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be promoted: a tag as it is now, with the digest that was on the page, and the paths that take it."""

    repository: Repository
    tag: str
    digest: str
    paths: tuple[PromotionPath, ...]


def source_of(user: User, asked: Mapping[str, Any]) -> Source:
    """The tag that is named in the address or the form; 404 where it is not there or not visible."""
    registry, name, tag = (clean(asked, key) for key in ("registry", "repository", "tag"))
    found = repositories_seen_by(user).select_related("registry").filter(registry__name=registry, name=name).first()
    present = Tag.objects.filter(repository=found, name=tag).select_related("manifest").first() if found else None
    if found is None or present is None:
        raise Http404(f"There is no tag {registry}/{name}:{tag} that you may see.")
    paths = PromotionPath.objects.filter(source=found.registry, is_enabled=True).select_related("target")
    fitting = tuple(path for path in paths if matches(path.repository_glob, name))
    return Source(found, tag, clean(asked, "digest") or str(present.manifest.digest), fitting)


class PromotionForm(forms.Form):
    """Path, target and reason; the digest is what was on the page, and it is what gets promoted."""

    path = forms.ModelChoiceField(PromotionPath.objects.none(), empty_label=None, label="Where to")
    target_repository = forms.CharField(max_length=255, label="Repository there")
    target_tags = forms.CharField(
        label="Tags there", help_text="Separated by spaces. They are put last, once everything else was read back."
    )
    changelog = forms.CharField(
        label="What changes, and why now",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Approvers read this.",
    )

    def __init__(self, source: Source, data: Mapping[str, Any] | None = None) -> None:
        initial = {"target_repository": source.repository.name, "target_tags": source.tag}
        super().__init__(data, initial=initial)
        self.source = source
        field: Any = self.fields["path"]
        field.queryset = PromotionPath.objects.filter(pk__in=[path.pk for path in source.paths])
        field.label_from_instance = lambda path: f"{path.target} (path {path})"

    def ask(self) -> dict[str, Any]:
        """What ``create_request`` wants to know."""
        return {
            "path": self.cleaned_data["path"],
            "source_repository": self.source.repository.name,
            "digest": self.source.digest,
            "source_tag": self.source.tag,
            "target_repository": self.cleaned_data["target_repository"].strip(),
            "target_tags": self.cleaned_data["target_tags"].replace(",", " ").split(),
            "changelog": self.cleaned_data["changelog"],
        }
