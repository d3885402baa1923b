"""The scenes at the registries' own doors: people and robots with docker and skopeo, nothing of the portal's in between.

A digest is believed when we have hashed the bytes that the registry itself has answered.
"""

import hashlib

from portal.demo.busybox import busybox_files
from portal.demo.cast import CI, CONSUMER, DEVELOPER, LABELS, REPOSITORY, VERSION
from portal.demo.content import Layout, build_layout
from portal.demo.errors import DemoError
from portal.demo.skopeo import pulled_digest
from portal.demo.stage import CACHE, Stage
from portal.demo.steps import Said

_REFUSALS = ("denied", "unauthorized", "insufficient_scope")


def log_in(stage: Stage) -> Said:
    """The developer, with the docker command line, at the two registries she will try."""
    for name in ("sandbox", "prod"):
        stage.log_in(DEVELOPER, name)
    how = "through the engine" if stage.docker(DEVELOPER).has_engine else "by the command line alone"
    return Said(f"docker login of {DEVELOPER} at sandbox and prod, {how}")


def push_to_sandbox(stage: Stage) -> Said:
    """A real image for two platforms; with docker where an engine answers, else with skopeo."""
    layout = stage.image = stage.image or build_layout(stage.folder / "image", busybox_files(CACHE), LABELS, VERSION)
    image = _image(stage, "sandbox")
    docker = stage.docker(DEVELOPER)
    if docker.has_engine:
        repository = image.removesuffix(f":{VERSION}")
        docker.push_layout(layout, repository, VERSION, stage.folder / "engine").or_fail(f"docker push of {image}")
    else:
        stage.skopeo(DEVELOPER).push(layout, image).or_fail(f"push of {image}")
    digest = answered_digest(stage, DEVELOPER, "sandbox")
    platforms = ", ".join(layout.platform_digests)
    return Said(f"{DEVELOPER} pushed {REPOSITORY}:{VERSION} for {platforms}", {"digest": digest})


def fail_to_push_to_prod(stage: Stage) -> Said:
    """The same developer, and why she is not let in."""
    refusal = _refused_push(stage, DEVELOPER, "prod")
    reason = (
        stage.portal.manage("explain_access", DEVELOPER, "push", f"prod/{REPOSITORY}").text or refusal
    ).splitlines()[0]
    return Said(f"{DEVELOPER} was refused by prod: {reason}", {"refusal": refusal, "reason": reason})


def push_from_ci(stage: Stage) -> Said:
    """CI, digests kept, to where snapshots are."""
    layout = stage.built_image()
    stage.log_in(CI, "ci-snapshots")
    stage.skopeo(CI).push(layout, _image(stage, "ci-snapshots")).or_fail("push of CI to ci-snapshots")
    _expect_digest(stage, CI, "ci-snapshots", layout)
    return Said(f"{CI} pushed {REPOSITORY}:{VERSION} to ci-snapshots", {"digest": layout.digest})


def verify_at(stage: Stage, *names: str) -> Said:
    """These registries, asked directly, answer the digest that CI has pushed."""
    layout = stage.built_image()
    for name in names:
        stage.log_in(CONSUMER, name)
        _expect_digest(stage, CONSUMER, name, layout)
    return Said(
        f"{' and '.join(names)} answer {layout.digest[:19]}…", {"digest": layout.digest, "registries": [*names]}
    )


def pull_as_consumer(stage: Stage) -> Said:
    """Everything, out of prod-eu, onto disk."""
    layout = stage.built_image()
    folder = stage.folder / "pulled"
    stage.log_in(CONSUMER, "prod-eu")
    stage.skopeo(CONSUMER).pull(_image(stage, "prod-eu"), folder).or_fail("pull from prod-eu")
    if pulled_digest(folder) != layout.digest:
        raise DemoError(f"prod-eu gave {pulled_digest(folder)}; CI had pushed {layout.digest}.")
    return Said(f"{CONSUMER} pulled {REPOSITORY}:{VERSION} from prod-eu", {"digest": layout.digest})


def fail_to_push_as_consumer(stage: Stage) -> Said:
    refusal = _refused_push(stage, CONSUMER, "prod-eu")
    return Said(f"{CONSUMER} cannot push to prod-eu", {"refusal": refusal})


def answered_digest(stage: Stage, who: str, name: str, repository: str = REPOSITORY, tag: str = VERSION) -> str:
    """The digest of what a registry itself answers for a tag."""
    image = f"{stage.registry(name).host}/{repository}:{tag}"
    answer = stage.skopeo(who).raw_manifest(image).or_fail(f"reading {image} at {name}")
    return f"sha256:{hashlib.sha256(answer.stdout).hexdigest()}"


def _refused_push(stage: Stage, who: str, name: str) -> str:
    """What the client was told. That it went well, or failed for another reason, is the failure here."""
    pushed = stage.skopeo(who).push(stage.built_image(), _image(stage, name))
    if pushed.code == 0:
        raise DemoError(f"{who} could push to {name}, which nobody but the pipeline may.")
    if not any(word in pushed.complaint.lower() for word in _REFUSALS):
        raise DemoError(f"{who} failed to push to {name}, but was not refused: {pushed.complaint}")
    return pushed.complaint


def _expect_digest(stage: Stage, who: str, name: str, layout: Layout) -> None:
    found = answered_digest(stage, who, name)
    if found != layout.digest:
        raise DemoError(f"{name} answers {found} for {REPOSITORY}:{VERSION}; CI had pushed {layout.digest}.")


def _image(stage: Stage, name: str) -> str:
    return f"{stage.registry(name).host}/{REPOSITORY}:{VERSION}"
