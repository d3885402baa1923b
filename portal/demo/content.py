"""What is pushed: a real image for two platforms, as an OCI layout folder (OCI image specification, image-layout.md).

Reproducible: the same files and labels give the same digests on every machine.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CREATED = "org.opencontainers.image.created"
_TAG = "org.opencontainers.image.ref.name"
_LONG_AGO = "1970-01-01T00:00:00Z"

Descriptor = dict[str, object]


@dataclass(frozen=True)
class Link:
    """A symbolic link in place of a file's bytes."""

    target: str


@dataclass(frozen=True)
class Layout:
    """An OCI layout that was built: where it lies and what a registry will answer for it."""

    folder: Path
    tag: str
    digest: str
    platform_digests: Mapping[str, str]


Files = Mapping[str, bytes | Link]


def build_layout(folder: Path, files_by_platform: Mapping[str, Files], labels: Mapping[str, str], tag: str) -> Layout:
    """One image per platform (``linux/amd64``), an index over them, and ``tag`` for the index.

    Files are paths in the image and their bytes; all are executable. A folder that holds a layout already gains a tag.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    images = {platform: _add_image(folder, platform, files, labels) for platform, files in files_by_platform.items()}
    annotations = {key: labels[key] for key in sorted(labels)}
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": list(images.values()), "annotations": annotations}
    entry = _add_json(folder, _INDEX, index)
    _add_tag(folder, tag, entry)
    return Layout(folder, tag, str(entry["digest"]), {name: str(image["digest"]) for name, image in images.items()})


def _add_image(folder: Path, platform: str, files: Files, labels: Mapping[str, str]) -> Descriptor:
    system, architecture = platform.split("/", 1)
    tar = _tar(files)
    layer = _add_blob(folder, _LAYER, gzip.compress(tar, compresslevel=6, mtime=0))
    config = {
        "created": labels.get(_CREATED, _LONG_AGO),
        "os": system,
        "architecture": architecture,
        "config": {"Labels": dict(labels), "Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        "history": [{"created": labels.get(_CREATED, _LONG_AGO), "created_by": "root file system"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _add_json(folder, _CONFIG, config),
        "layers": [layer],
    }
    return {**_add_json(folder, _MANIFEST, manifest), "platform": {"os": system, "architecture": architecture}}


def _tar(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(_parents(files)):
            archive.addfile(_member(path, tarfile.DIRTYPE))
        for path, content in sorted(files.items()):
            _add_file(archive, path.strip("/"), content)
    return buffer.getvalue()


def _add_file(archive: tarfile.TarFile, path: str, content: bytes | Link) -> None:
    if isinstance(content, Link):
        member = _member(path, tarfile.SYMTYPE)
        member.linkname = content.target
        archive.addfile(member)
    else:
        member = _member(path, tarfile.REGTYPE)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def _member(path: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode = kind, 0o755
    return member


def _parents(files: Files) -> set[str]:
    return {str(parent) for path in files for parent in Path(path.strip("/")).parents if str(parent) != "."}


def _add_tag(folder: Path, tag: str, entry: Descriptor) -> None:
    path = folder / "index.json"
    entries = json.loads(path.read_text())["manifests"] if path.exists() else []
    kept = [old for old in entries if old.get("annotations", {}).get(_TAG) != tag]
    kept.append({**entry, "annotations": {_TAG: tag}})
    path.write_text(json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": kept}))


def _add_json(folder: Path, media_type: str, value: Mapping[str, object]) -> Descriptor:
    return _add_blob(folder, media_type, json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def _add_blob(folder: Path, media_type: str, data: bytes) -> Descriptor:
    digest = _digest(data)
    path = folder / "blobs" / digest.replace(":", "/", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
