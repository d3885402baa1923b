"""Pure: who asks? One value for strangers, people, robots and our own jobs."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

PrincipalKind = Literal["anonymous", "user", "robot", "system"]
SystemPrincipal = Literal["sync", "pipeline", "replicator", "importer", "cleaner", "restorer"]
SYSTEM_PRINCIPALS: Final[tuple[str, ...]] = get_args(SystemPrincipal)


@dataclass(frozen=True, slots=True)
class Principal:
    """``key`` is the primary key as text, ``name`` what a registry logs. ``team_ids`` are the teams of a person or the team of a
    robot, ``maintains`` those of them in which a person is a maintainer. The ``narrow_`` fields are those of the credential that was
    shown, as they are stored; empty means that it narrows nothing. ``address`` is where the client is, empty where that is not known;
    ``is_keyless`` says that the credential was made for the identity token of a CI job."""

    kind: PrincipalKind
    key: str = ""
    name: str = ""
    robot_kind: str = ""
    team_ids: frozenset[int] = frozenset()
    maintains: frozenset[int] = frozenset()
    narrow_pattern: str = ""
    narrow_actions: str = ""
    narrow_registries: str = ""
    narrow_networks: str = ""
    address: str = ""
    is_keyless: bool = False

    def __str__(self) -> str:
        return self.name or "anonymous"

    @property
    def is_signed_in(self) -> bool:
        return self.kind in ("user", "robot")

    @property
    def is_ci(self) -> bool:
        return self.kind == "robot" and self.robot_kind == "ci"


ANONYMOUS: Final = Principal("anonymous")


def system_principal(name: str) -> Principal:
    """One of our own. Its printed name has a colon, which no person's and no robot's name can have."""
    if name not in SYSTEM_PRINCIPALS:
        raise ValueError(f"There is no system principal {name!r}; known are {', '.join(SYSTEM_PRINCIPALS)}.")
    return Principal("system", name, f"system:{name}")
