"""Do the tags that the artifact will have follow the agreed form?"""

import re
from collections.abc import Iterator
from datetime import datetime

from portal.globs import matches
from promotions.gates import parameters as read
from promotions.gates.base import ImageEvidence, ParameterError, Parameters, Status, Verdict

MODES = ("semver", "calver", "regex")
_NUMBER = r"(?:0|[1-9][0-9]*)"
# A "+" cannot stand in a tag, so build metadata of semver has no place here.
_SEMVER = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?", re.ASCII)
_CALVER = re.compile(
    r"v?[0-9]{4}\.(?:0?[1-9]|1[0-2])(?:\.[0-9]{1,5}){0,2}(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?", re.ASCII
)
_FORMS = {"semver": (_SEMVER, "1.4.2"), "calver": (_CALVER, "2026.11.3")}


class TagPattern:
    """``mode`` semver, calver or regex; ``allow_prerelease``; ``forbid``: globs; ``match_label``: a label that must hold the tag."""

    name = "tag_pattern"
    title = "Tag pattern"

    def check_parameters(self, parameters: Parameters) -> None:
        read.only(parameters, {"mode", "regex", "allow_prerelease", "forbid", "match_label"})
        mode = read.choice(parameters, "mode", MODES, "semver")
        regex = read.word(parameters, "regex")
        if mode == "regex" and not regex:
            raise ParameterError("“regex” must be given where “mode” is regex.")
        read.expression(regex, "regex")
        read.flag(parameters, "allow_prerelease", default=False)
        read.words(parameters, "forbid")
        read.word(parameters, "match_label")

    def evaluate(self, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict:
        label = read.word(parameters, "match_label")
        if label and evidence.unread:
            names = ", ".join(evidence.unread)
            return Verdict(Status.ERROR, f"The labels of {names} have not been read yet, so {label} is unknown.")
        faults = [fault for tag in evidence.target_tags for fault in _faults(tag, evidence, parameters)]
        if not evidence.target_tags:
            faults.append("There is no tag to look at.")
        seen = tuple({"kind": "tag", "name": tag} for tag in evidence.target_tags)
        if faults:
            return Verdict(Status.FAIL, faults[0], {"faults": faults}, seen, "Ask for a tag of the agreed form.")
        return Verdict(Status.PASS, f"{', '.join(evidence.target_tags)}: of the agreed form.", {}, seen)


def _faults(tag: str, evidence: ImageEvidence, parameters: Parameters) -> Iterator[str]:
    forbidden = next((glob for glob in read.words(parameters, "forbid") if matches(glob, tag)), None)
    if forbidden:
        yield f"The tag {tag} is forbidden by “{forbidden}”."
    yield from _form_faults(tag, parameters)
    label = read.word(parameters, "match_label")
    if label:
        yield from _label_faults(tag, label, evidence)


def _form_faults(tag: str, parameters: Parameters) -> Iterator[str]:
    mode = read.choice(parameters, "mode", MODES, "semver")
    if mode == "regex":
        regex = read.word(parameters, "regex")
        if not re.fullmatch(regex, tag):
            yield f"The tag {tag} does not match “{regex}”."
        return
    form, example = _FORMS[mode]
    found = form.fullmatch(tag)
    if found is None:
        yield f"The tag {tag} is not {mode}; expected something like {example}."
    elif found["pre"] and not read.flag(parameters, "allow_prerelease", default=False):
        yield f"The tag {tag} is a pre-release (-{found['pre']}), which this path does not take."


def _label_faults(tag: str, label: str, evidence: ImageEvidence) -> Iterator[str]:
    if not evidence.labels_by_platform:
        yield f"The artifact has no labels, so {label} cannot be {tag}."
    for platform, labels in evidence.labels_by_platform.items():
        value = labels.get(label, "")
        if value.removeprefix("v") != tag.removeprefix("v"):
            shown = f"“{value[:80]}”" if value else "missing"
            yield f"The label {label} of {platform} is {shown}, not {tag}."
