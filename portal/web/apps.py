from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "portal.web"
    label = "web"
    verbose_name = "Web portal"

    def ready(self) -> None:
        from portal.web.admin_links import link_to_the_portal

        link_to_the_portal()
