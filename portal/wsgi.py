"""All faces of the portal for a WSGI server: ``gunicorn portal.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from registries.access.counts.writer import write_in_background  # noqa: E402  its models want Django set up

write_in_background()
