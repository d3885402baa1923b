"""What people ask for. Loaded by :mod:`registries.access.models`."""

from django.conf import settings
from django.db import models

from portal.users.models import Team
from registries.fields import NameField
from registries.topology.models import Registry


class AccessRequest(models.Model):
    """Somebody asks for access with a reason and an end; a maintainer of the team that owns the names decides. Granted, it is an access
    rule, which ends by itself. Without robot and team it is for the requester."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a decision"
        GRANTED = "granted", "granted"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn by its requester"
        LAPSED = "lapsed", "nobody decided before it would have ended"

    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_requests")
    robot = models.ForeignKey(
        "access.RobotAccount", null=True, blank=True, on_delete=models.CASCADE, related_name="access_requests"
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="access_requests")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="access_requests")
    pattern = NameField(max_length=255)
    actions = models.CharField(max_length=40)
    reason = models.TextField(max_length=2000)
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    comment = models.TextField(blank=True, max_length=2000)
    rule = models.OneToOneField(
        "access.AccessRule", null=True, blank=True, on_delete=models.SET_NULL, related_name="request"
    )

    class Meta:
        verbose_name = "access request"
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "ends_at"], name="access_request_due")]

    def __str__(self) -> str:
        return f"{self.requester}: {self.actions} {self.registry}/{self.pattern}"
