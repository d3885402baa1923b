"""People, their roles in the whole portal, and the teams that own things."""

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from portal.actor import Actor

NAME = RegexValidator(
    r"^[a-z0-9]+([._-][a-z0-9]+)*\Z",
    "Use lower-case letters and digits, with single dots, dashes or underscores between them.",
)


def no_robot_name(value: str) -> None:
    """Names of people and of robots never meet."""
    if value.startswith("robot."):
        raise ValidationError("Names that begin with 'robot.' belong to robot accounts.")


class Role(models.TextChoices):
    """What somebody may do across the whole portal; rights inside a team come from the membership."""

    PLATFORM_ADMIN = "platform_admin", "platform admin"
    SECURITY = "security", "security"
    RELEASE_MANAGER = "release_manager", "release manager"
    AUDITOR = "auditor", "auditor"


class User(AbstractUser):
    """A person. Sign-in is allauth's; the name at a registry is the same as here."""

    username = models.CharField(max_length=64, unique=True, validators=[NAME, no_robot_name])
    email = models.EmailField("e-mail address", unique=True)

    objects: ClassVar[UserManager[Self]] = UserManager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["username"]

    def clean(self) -> None:
        """Addresses are the same whatever their case, and what somebody has proved nobody else can have."""
        super().clean()
        self.email = self.email.lower()
        from allauth.account.models import EmailAddress

        proved = EmailAddress.objects.filter(email__iexact=self.email, verified=True).exclude(user=self.pk)
        if proved.exists():
            raise ValidationError({"email": "Somebody else has proved that this address is theirs."})

    def has_role(self, *roles: str) -> bool:
        """Whether the person holds one of the roles; any at all when none is named. A superuser is a platform admin, nothing more."""
        if not self.is_active:
            return False
        held = self.role_names
        return bool(held & set(roles)) if roles else bool(held)

    @property
    def role_names(self) -> frozenset[str]:
        """Roles held now: those granted, and of a superuser that of a platform admin."""
        return self.granted_role_names | ({Role.PLATFORM_ADMIN.value} if self.is_superuser else set())

    @property
    def granted_role_names(self) -> frozenset[str]:
        """Roles that somebody granted, read once per instance."""
        known: frozenset[str] | None = self.__dict__.get("_role_names")
        if known is None:
            known = frozenset(self.role_grants.values_list("role", flat=True))
            self.__dict__["_role_names"] = known
        return known

    @property
    def actor(self) -> Actor:
        """The person as the cause of something."""
        return Actor("user", str(self.pk), self.username)

    @property
    def is_platform_admin(self) -> bool:
        return self.has_role(Role.PLATFORM_ADMIN)


class RoleGrant(models.Model):
    """A role that somebody holds."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="role_granted_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Team(models.Model):
    """Owns registries, namespaces, robots and archive entries."""

    name = models.CharField(max_length=64, unique=True, validators=[NAME])
    title = models.CharField(max_length=120, blank=True)
    contact = models.CharField(
        max_length=255, blank=True, help_text="Where the team is reached: a mail address, a channel, a page."
    )
    external_group = models.CharField(
        max_length=255, blank=True, help_text="Group of the identity provider whose members belong to this team."
    )
    external_maintainer_group = models.CharField(
        "external group of maintainers",
        max_length=255,
        blank=True,
        default="",
        db_default="",  # processes from before the column still write rows while a new version is rolled out
        help_text="Group of the identity provider whose members maintain this team. Left empty, maintainers are made by hand.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Maintainers by group make sense only where the members come by group too."""
        super().clean()
        if self.external_maintainer_group and not self.external_group:
            raise ValidationError({"external_maintainer_group": "Name the external group of the members as well."})


class Membership(models.Model):
    """Somebody in a team."""

    class TeamRole(models.TextChoices):
        MAINTAINER = "maintainer"
        MEMBER = "member"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=TeamRole.choices, default=TeamRole.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
