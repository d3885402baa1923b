"""May this be asked for at all? Every refusal says what is wrong and what would be right. Rows are read, nothing is written."""

from dataclasses import dataclass

from portal.globs import matches
from portal.http.problem import Problem
from promotions.workflow.baseline import current_digests
from promotions.workflow.models import PromotionItem, PromotionPath, RequestState
from promotions.workflow.paths import path_findings
from registries.catalog.models import Manifest, Placement, Tag
from registries.oci.digest import Digest, InvalidDigest
from registries.oci.reference import is_repository, is_tag

MOST_TAGS = 20


@dataclass(frozen=True)
class Ask:
    """What somebody wants, in proper form. ``source_tag`` is a claim that is checked once; the digest is what counts."""

    path: PromotionPath
    source_repository: str
    digest: Digest
    source_tag: str
    target_repository: str
    target_tags: tuple[str, ...]


def read_ask(
    path: PromotionPath, source_repository: str, digest: str, source_tag: str, target_repository: str, tags: list[str]
) -> Ask:
    """Proper form alone; raises Problem 400 or 422."""
    target = target_repository or source_repository
    for name in (source_repository, target):
        if not is_repository(name):
            raise Problem(400, "bad_repository", f"“{name[:120]}” is not the name of a repository.")
    wanted = tuple(dict.fromkeys(tags))
    bad = next((tag for tag in (*wanted, source_tag) if tag and not is_tag(tag)), None)
    if bad is not None or not all(wanted):
        raise Problem(
            400, "bad_tag", f"“{(bad or '')[:140]}” is not a tag: letters, digits and _ . - with at most 128 of them."
        )
    if not 1 <= len(wanted) <= MOST_TAGS:
        raise Problem(400, "bad_tags", f"Name between 1 and {MOST_TAGS} target tags; these are {len(wanted)}.")
    try:
        return Ask(path, source_repository, Digest.parse(str(digest).strip()), source_tag, target, wanted)
    except InvalidDigest as error:
        raise Problem(400, "bad_digest", f"{error}. A promotion needs the digest, never only a tag.") from error


def check_path(ask: Ask) -> None:
    """The path is open, leads where paths may lead, and is meant for this repository."""
    path = ask.path
    if not path.is_enabled:
        raise Problem(409, "path_disabled", f"The path {path} is switched off; ask a platform admin why.")
    findings = path_findings(path.source, path.target)
    if findings:
        raise Problem(409, "path_forbidden", f"The path {path} cannot be used. {' '.join(findings.values())}")
    for name in (ask.source_repository, ask.target_repository):
        if not matches(path.repository_glob, name):
            raise Problem(422, "not_on_path", f"The path {path} takes {path.repository_glob}, which {name} is not.")


def check_source(ask: Ask) -> Manifest:
    """The artifact is known to be in the source, and the tag it was claimed to have is on it."""
    place = f"{ask.path.source}/{ask.source_repository}"
    here = Placement.objects.filter(
        repository__registry=ask.path.source, repository__name=ask.source_repository, absent_since=None
    )
    found = here.filter(manifest__digest=ask.digest).select_related("manifest").first()
    if found is None:
        raise Problem(
            404,
            "source_missing",
            f"{ask.digest} is not known in {place}. If it was pushed just now, ask again in a few seconds.",
        )
    if ask.source_tag:
        _check_source_tag(ask, place)
    return found.manifest


def _check_source_tag(ask: Ask, place: str) -> None:
    rows = Tag.objects.filter(repository__registry=ask.path.source, repository__name=ask.source_repository)
    tag = rows.filter(name=ask.source_tag).select_related("manifest").first()
    if tag is None:
        text = f"There is no tag {ask.source_tag} in {place}, so it cannot be {ask.digest}."
        raise Problem(409, "source_tag_mismatch", text)
    if tag.manifest.digest != ask.digest:
        text = f"{place}:{ask.source_tag} is {tag.manifest.digest} by now, not {ask.digest}. Ask for the one you mean."
        raise Problem(409, "source_tag_mismatch", text, actual=str(tag.manifest.digest))


def check_target(ask: Ask) -> dict[str, str]:
    """What each target tag has now; raises Problem where a tag would move that must not, or nothing would change."""
    now = current_digests(ask.path.target, ask.target_repository, list(ask.target_tags))
    place = f"{ask.path.target}/{ask.target_repository}"
    if all(digest == str(ask.digest) for digest in now.values()):
        text = f"{place}:{', '.join(ask.target_tags)} is {ask.digest} already; there is nothing to promote."
        raise Problem(409, "already_promoted", text, promotion=_earlier(ask))
    moving = {tag: digest for tag, digest in now.items() if digest and digest != str(ask.digest)}
    if moving and ask.path.tag_policy == PromotionPath.TagPolicy.IMMUTABLE:
        tag, digest = next(iter(moving.items()))
        text = f"{place}:{tag} is {digest} and never moves on the path {ask.path}. Choose a new tag."
        raise Problem(409, "target_tag_conflict", text, tag=tag, actual=digest)
    return now


def _earlier(ask: Ask) -> str:
    """The request that brought it there, if one did."""
    done = [RequestState.PROMOTED, RequestState.COMPLETED]
    rows = PromotionItem.objects.filter(
        digest=ask.digest, target_repository=ask.target_repository, request__path=ask.path, request__state__in=done
    )
    return rows.order_by("-id").values_list("request__public_id", flat=True).first() or ""
