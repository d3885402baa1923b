"""The story in the order in which it is told. Its names are a public contract; scripts read them."""

from portal.demo.scene_start import start_portal, start_registries
from portal.demo.stage import Stage
from portal.demo.steps import Step

STORY: tuple[Step[Stage], ...] = (
    Step("registries-up", start_registries),
    Step("portal-up", start_portal),
)
