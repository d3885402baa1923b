"""Which parts has the admin, and what is each for? The sidebar and the overview's index both come from here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from portal.users.models import User
from promotions.workflow.queries import waiting_for
from registries.access.asking.request_rights import waiting_for as access_waiting_for
from registries.retention.models import Plan
from registries.sentinel.models import Incident
from registries.topology.models import RegistryHealth

Count = Callable[[User], int]


@dataclass(frozen=True, slots=True)
class AdminPage:
    """One list: its words, its icon, its model as app_model, and what one finds there. ``count``: what waits there, as a badge;
    ``address`` is the name of a page that lists no model."""

    title: str
    icon: str
    model: str
    line: str
    count: Count | None = None
    is_in_sidebar: bool = True
    address: str = ""

    @property
    def url(self) -> str:
        if self.address:
            return reverse(self.address)
        return reverse(f"admin:{self.model}_changelist")


@dataclass(frozen=True, slots=True)
class AdminSection:
    """Lists that belong together."""

    title: str
    pages: tuple[AdminPage, ...]


def _waiting(user: User) -> int:
    return waiting_for(user).count()


def _plans(user: User) -> int:
    return Plan.objects.filter(state=Plan.State.READY, is_preview=False).count()


def _not_well(user: User) -> int:
    troubled = (RegistryHealth.State.ATTENTION, RegistryHealth.State.BROKEN)
    return RegistryHealth.objects.filter(state__in=troubled).count()


def _incidents(user: User) -> int:
    return Incident.objects.filter(state=Incident.State.OPEN).count()


def _asked(user: User) -> int:
    return access_waiting_for(user).count()


def _minor(title: str, icon: str, model: str, line: str) -> AdminPage:
    """Looked up now and then: in the index alone."""
    return AdminPage(title, icon, model, line, is_in_sidebar=False)


SECTIONS = (
    AdminSection(
        "Promotion",
        (
            AdminPage("Requests", "rocket_launch", "promotions_promotionrequest", "Asked, decided, carried out", _waiting),
            AdminPage("Paths", "route", "promotions_promotionpath", "Which moves are allowed, by which gates"),
            AdminPage("Approval rules", "how_to_reg", "approvals_approvalrule", "Who must agree, and how many"),
            AdminPage("Decisions", "gavel", "approvals_decision", "Who said yes or no, and why"),
            AdminPage("Delegations", "swap_horiz", "approvals_delegation", "Who decides in whose name, until when"),
            _minor("Gate results", "fact_check", "promotions_gateresult", "What each gate found in each evaluation"),
            _minor("Items", "deployed_code", "promotions_promotionitem", "Artifacts of requests, by digest"),
            _minor("Policies as they were", "description", "promotions_policysnapshot", "Gates and rules a request was made under"),
            _minor("Tag locks", "lock_clock", "promotions_taglock", "Tags an open request has taken"),
        ),
    ),
    AdminSection(
        "Registries",
        (
            AdminPage("Registries", "dns", "topology_registry", "Every registry: address, reach, what runs there", _not_well),
            AdminPage("Zones", "layers", "topology_zone", "Levels of trust and what everybody may do in them"),
            AdminPage("Locations", "public", "topology_location", "Where registries and workers stand"),
            AdminPage("Health", "monitor_heart", "topology_registryhealth", "What the last look at each found"),
            AdminPage("Credentials", "vpn_key", "topology_credential", "Secrets we use where our tokens are not trusted"),
            _minor("Sync by registry", "cloud_done", "catalog_registrysyncstate", "How well each registry is known; brakes"),
        ),
    ),
    AdminSection(
        "Catalog",
        (
            AdminPage("Repositories", "folder", "catalog_repository", "What every registry holds"),
            AdminPage("Tags", "sell", "catalog_tag", "Names and the digests they are on now"),
            AdminPage("Tag history", "history", "catalog_tagevent", "Every move of every tag, and by whom"),
            AdminPage("Manifests", "fingerprint", "catalog_manifest", "Images and artifacts, wherever they are"),
            AdminPage("Incidents", "report", "sentinel_incident", "What changed that nobody asked for", _incidents),
            AdminPage("Holds", "lock", "catalog_hold", "What must not be deleted, and why"),
            _minor("Where manifests are", "place", "catalog_placement", "Manifests in repositories, present and past"),
            _minor("Blobs", "data_object", "catalog_blob", "Configs and layers by digest"),
            _minor("Announced moves", "campaign", "catalog_tagintent", "Tags we said we would move before we did"),
            _minor("Deletions claimed", "shield", "catalog_digestguard", "Digests a hold or a deletion has touched"),
            _minor("Sync by repository", "sync_saved_locally", "catalog_syncstate", "When each was last read cleanly"),
        ),
    ),
    AdminSection(
        "Distribution",
        (
            AdminPage("Replication rules", "sync_alt", "replication_replicationrule", "What follows where"),
            AdminPage("Deliveries", "local_shipping", "replication_delivery", "Each tag at each target, and whether it is there"),
            AdminPage("Archive entries", "inventory_2", "archive_archiveentry", "Upstream images we keep, with owner and reason"),
        ),
    ),
    AdminSection(
        "Cleanup",
        (
            AdminPage("Plans", "cleaning_services", "retention_plan", "What would go, to be looked at first", _plans),
            AdminPage("Policies", "rule", "retention_retentionpolicy", "Which tags may go, and which always stay"),
            _minor("Tags in plans", "checklist", "retention_planitem", "Each tag's fate, with the rule and the reason"),
        ),
    ),
    AdminSection(
        "Access",
        (
            AdminPage("Explain", "help", "", "Why somebody may or may not, and what would change it", address="admin-explain:page"),
            AdminPage("People", "person", "users_user", "Who can sign in, with which roles"),
            AdminPage("Teams", "groups", "users_team", "Who owns registries, names and robots"),
            AdminPage("Robot accounts", "smart_toy", "access_robotaccount", "CI and consumers, and their secrets"),
            AdminPage("Access rules", "policy", "access_accessrule", "Who may pull, push and delete where"),
            AdminPage("Trials of drafts", "experiment", "access_drafttrial", "Draft rules, held against what was really asked"),
            AdminPage("Access requests", "front_hand", "access_accessrequest", "Who asks for what, and what was decided", _asked),
            AdminPage("Naming rules", "spellcheck", "access_namingrule", "How repositories and tags in CI zones are named"),
            AdminPage("CI issuers", "fingerprint", "access_issuer", "Whose identity tokens of CI jobs we believe"),
            AdminPage("Keyless CI", "no_encryption", "access_federationrule", "Which jobs act as which robot, without a secret"),
            AdminPage("Namespaces", "folder_shared", "access_namespace", "Which team owns which prefix of names"),
            AdminPage("Restrictions", "block", "access_restriction", "What is forbidden to everybody for a while"),
            AdminPage("Personal tokens", "key", "access_personaltoken", "What people sign in with at registries"),
            AdminPage("Robot secrets", "password", "access_secret", "What robots sign in with"),
            AdminPage("Refusals", "do_not_disturb_on", "access_denial", "What was asked and not granted, and why"),
            AdminPage("Signing keys", "verified_user", "access_signingkey", "Keys that sign the tokens of each registry"),
            AdminPage("Bring in a registry", "move_to_inbox", "access_adoption", "Registries in use that come under the portal, step by step"),
            AdminPage("Imported logins", "history_edu", "access_importedlogin", "Old user names and passwords that still work"),
            _minor("Seen in logs", "manage_search", "access_seenrequest", "What the logs of registries brought in say"),
            _minor("Names decided", "badge", "access_namedecision", "Who the user names of old logins are"),
            _minor("Keyless logins", "login", "access_exchange", "Credentials issued for identity tokens of CI jobs"),
            _minor("Identity tokens used", "done_all", "access_usedtoken", "Exchanged once, and never again"),
            _minor("Attempts counted", "speed", "access_attemptcount", "Keyless logins and wrong secrets, per minute"),
            _minor("Uses of access", "history_toggle_off", "access_accessuse", "Who asked for what, and got what, day by day"),
            _minor("Token counts", "bar_chart", "access_tokencount", "Tokens issued per hour"),
        ),
    ),
    AdminSection(
        "Jobs",
        (
            AdminPage("Syncs", "cloud_sync", "catalog_syncjob", "Reading what registries hold"),
            AdminPage("Copies", "content_copy", "copies_copyjob", "Carrying bytes from one registry to another"),
            AdminPage("Promotion executions", "play_circle", "promotions_execution", "Carrying out what was approved"),
            AdminPage("Archive intakes", "download", "archive_intakejob", "Pinning and importing upstream images"),
            AdminPage("Cleanup jobs", "delete_sweep", "retention_cleanupjob", "Making, executing and undoing plans"),
            AdminPage("Host pauses", "pause_circle", "jobs_hostpause", "Registries that asked us to wait"),
            _minor("Job locks", "lock_clock", "jobs_lock", "Work that must not run twice at once"),
        ),
    ),
    AdminSection(
        "Record",
        (
            AdminPage("Audit", "receipt_long", "audit_auditevent", "Who did what, when"),
            AdminPage("Seals", "link", "audit_auditseal", "The chain that proves the record is whole"),
            _minor("Checkpoints", "verified", "audit_auditcheckpoint", "Signed statements of where the chain stood"),
            AdminPage("Messages", "outbox", "outbox_message", "What was told to people and machines"),
            AdminPage("Webhooks", "webhook", "outbox_webhookendpoint", "Addresses that are told about events"),
        ),
    ),
)  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar as the theme wants it."""
    user = request.user
    viewer = user if isinstance(user, User) else None
    return [_top(), *(_group(section, viewer) for section in SECTIONS)]


def _top() -> dict[str, Any]:
    overview = reverse("admin:index")
    return {
        "title": "",
        "items": [
            # The theme takes every address that begins with "/" for the map's.
            {"title": "Map", "icon": "map", "link": reverse("web:map"), "active": False},
            {"title": "Overview", "icon": "dashboard", "link": overview},
        ],
    }


def _group(section: AdminSection, viewer: User | None) -> dict[str, Any]:
    items = [_item(page, viewer) for page in section.pages if page.is_in_sidebar]
    waits = sum(item.get("badge", 0) for item in items)
    group = {"title": section.title, "separator": True, "collapsible": True, "items": items}
    return group | ({"badge": waits} if waits else {})


def _item(page: AdminPage, viewer: User | None) -> dict[str, Any]:
    waits = page.count(viewer) if page.count and viewer else 0
    item = {"title": page.title, "icon": page.icon, "link": page.url}
    return item | ({"badge": waits} if waits else {})
