"""What does the docker command line do, as a person uses it?"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.demo.content import Layout
from portal.demo.programs import Outcome, require, run
from portal.demo.skopeo import export_for_engine

# Debian's name for a folder that never is; short, as paths of sockets have to be.
_NO_ENGINE = "unix:///nonexistent/docker.sock"


@dataclass(frozen=True)
class Docker:
    """One person's docker: logins in a folder of their own, and an engine if one answers."""

    config_folder: Path
    engine: str = ""

    @classmethod
    def for_person(cls, folder: Path) -> "Docker":
        """Uses the machine's engine when it answers. The demo never starts one."""
        require("docker")
        folder.mkdir(parents=True, exist_ok=True)
        answer = run(["docker", "version", "--format", "{{.Server.Version}}"], timeout_seconds=20)
        return cls(folder, os.environ.get("DOCKER_HOST", "") or "default" if answer.code == 0 else "")

    @property
    def has_engine(self) -> bool:
        return bool(self.engine)

    @property
    def authfile(self) -> Path:
        """The logins, in the form that skopeo and podman read as well."""
        return self.config_folder / "config.json"

    def login(self, host: str, username: str, secret: str) -> Outcome:
        """``docker login``; without an engine the command line talks to the registry itself."""
        return self._docker("login", host, "--username", username, "--password-stdin", given=secret)

    def logout(self, host: str) -> Outcome:
        return self._docker("logout", host)

    def hosts(self) -> set[str]:
        """The registries this person is logged in to."""
        if not self.authfile.exists():
            return set()
        return set(json.loads(self.authfile.read_text()).get("auths", {}))

    def pull(self, image: str) -> Outcome:
        return self._docker("pull", "--quiet", image, timeout_seconds=120)

    def push(self, image: str) -> Outcome:
        return self._docker("push", image, timeout_seconds=120)

    def push_layout(self, layout: Layout, repository: str, tag: str, scratch: Path) -> Outcome:
        """As one does with an engine that holds one platform at a time: each by its own tag, then the index.

        ``repository`` starts with the registry's host. The first push that fails is the answer.
        """
        images = [f"{repository}:{tag}-{platform.replace('/', '-')}" for platform in layout.platform_digests]
        for platform, image in zip(layout.platform_digests, images, strict=True):
            archive = export_for_engine(layout, platform, image, scratch)
            self._docker("load", "--quiet", "--input", str(archive)).or_fail(f"docker load of {image}")
            pushed = self.push(image)
            if pushed.code != 0:
                return pushed
        index = f"{repository}:{tag}"
        self._docker("manifest", "create", "--insecure", "--amend", index, *images).or_fail(f"the index {index}")
        return self._docker("manifest", "push", "--insecure", "--purge", index)

    def _docker(self, *arguments: str, given: str | None = None, timeout_seconds: float = 60) -> Outcome:
        return run(["docker", *arguments], env=self._env(), given=given, timeout_seconds=timeout_seconds)

    def _env(self) -> Mapping[str, str]:
        env = {**os.environ, "DOCKER_CONFIG": str(self.config_folder), "DOCKER_CLI_HINTS": "false"}
        if self.engine == "default":
            return env
        # A socket that is not there makes the command line log in by itself, instead of asking somebody's engine.
        return {**env, "DOCKER_HOST": self.engine or _NO_ENGINE}
