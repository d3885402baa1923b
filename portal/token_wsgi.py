"""The token endpoint alone, for processes of its own: ``gunicorn portal.token_wsgi``. It needs the database and nothing else."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["PORTAL_FACE"] = "token"
application = get_wsgi_application()

from registries.access.counts.writer import write_in_background  # noqa: E402  its models want Django set up

write_in_background()
