from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "portal.users"
    label = "users"
    verbose_name = "People and teams"

    def ready(self) -> None:
        from portal.users.recorded import listen

        listen()
