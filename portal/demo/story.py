"""The story in the order in which it is told. Its names are a public contract; scripts read them."""

from portal.demo import scene_archive, scene_cleanup, scene_clients, scene_promotion, scene_record
from portal.demo.scene_start import start_portal, start_registries
from portal.demo.stage import Stage
from portal.demo.steps import Step

STORY: tuple[Step[Stage], ...] = (
    Step("registries-up", start_registries),
    Step("portal-up", start_portal),
    Step("docker-login", scene_clients.log_in),
    Step("sandbox-push", scene_clients.push_to_sandbox),
    Step("prod-push-refused", scene_clients.fail_to_push_to_prod),
    Step("ci-push", scene_clients.push_from_ci),
    Step("catalog-synced", scene_promotion.see_in_catalog),
    Step("promotion-requested", scene_promotion.ask_for_promotion),
    Step("self-approval-refused", scene_promotion.fail_to_approve_own),
    Step("promotion-approved", scene_promotion.approve),
    Step("prod-verified", scene_promotion.verify_prod),
    Step("regions-verified", scene_promotion.verify_regions),
    Step("consumer-pull", scene_clients.pull_as_consumer),
    Step("consumer-push-refused", scene_clients.fail_to_push_as_consumer),
    Step("archive-imported", scene_archive.import_into_archive),
    Step("cache-pull", scene_archive.pull_through_cache),
    Step("sandbox-cleaned", scene_cleanup.clean_sandbox),
    Step("audit-verified", scene_record.verify_record),
)
