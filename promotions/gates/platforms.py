"""Is the artifact there for every platform it must run on?"""

from dataclasses import replace
from datetime import datetime

from promotions.gates import parameters as read
from promotions.gates.base import ImageEvidence, ParameterError, Parameters, Status, Verdict
from registries.oci.platform import InvalidPlatform, Platform


class Platforms:
    """``required``: platforms such as linux/amd64; ``allow_extra``: whether others may be there as well."""

    name = "platforms"
    title = "Platforms"

    def check_parameters(self, parameters: Parameters) -> None:
        read.only(parameters, {"required", "allow_extra"})
        if not _required(parameters):
            raise ParameterError("“required” must name at least one platform, for example linux/amd64.")
        read.flag(parameters, "allow_extra", default=True)

    def evaluate(self, evidence: ImageEvidence, parameters: Parameters, now: datetime) -> Verdict:
        required = _required(parameters)
        offered = {_plain(text) for text in evidence.platforms}
        missing = [str(platform) for platform in required if platform not in offered]
        extra = sorted(str(platform) for platform in offered - set(required))
        seen = tuple({"kind": "platform", "name": text} for text in evidence.platforms)
        if evidence.unread and not evidence.platforms:
            return Verdict(Status.ERROR, "The artifact's manifests have not been read yet.", {}, seen)
        if missing:
            have = ", ".join(evidence.platforms) or "none"
            summary = f"Missing: {', '.join(missing)}. The artifact offers {have}."
            return Verdict(Status.FAIL, summary, {"missing": missing}, seen, "Build for the missing platforms as well.")
        if extra and not read.flag(parameters, "allow_extra", default=True):
            summary = f"Not wanted: {', '.join(extra)}."
            return Verdict(Status.FAIL, summary, {"extra": extra}, seen, "Build for the required platforms alone.")
        return Verdict(Status.PASS, f"Offers {', '.join(str(platform) for platform in required)}.", {}, seen)


def _required(parameters: Parameters) -> tuple[Platform, ...]:
    try:
        return tuple(dict.fromkeys(_plain(text) for text in read.words(parameters, "required")))
    except InvalidPlatform as error:
        raise ParameterError(f"“required”: {error}.") from error


def _plain(text: str) -> Platform:
    """linux/arm64/v8 is what everybody means by linux/arm64; builders write either."""
    platform = Platform.parse(text)
    is_default = (platform.architecture, platform.variant) in {("arm64", "v8"), ("amd64", "v1")}
    return replace(platform, variant="") if is_default else platform
