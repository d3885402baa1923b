"""Who plays, and about what?"""

from typing import Final

ADMIN: Final = "admin"
DEVELOPER: Final = "alice"  # of team payments; pushes to sandbox, and nowhere else
REQUESTER: Final = "bob"  # release manager; CI asks for the promotion on his behalf
APPROVER: Final = "carol"  # the other release manager
CI: Final = "robot.payments-ci"
CONSUMER: Final = "robot.shop"

REPOSITORY: Final = "payments/tool"
VERSION: Final = "1.0.0"
LABELS: Final = {
    "org.opencontainers.image.title": "tool",
    "org.opencontainers.image.version": VERSION,
    "org.opencontainers.image.source": "https://git.example.com/payments/tool",
    "org.opencontainers.image.revision": "5f0c4ad1f0f1b6c5a1f7bb3a1e1f4c9d2b7e6a90",
    "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
}
