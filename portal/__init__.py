"""The house: the floor every package stands on, and the roof that joins them.

Importing the package loads the Celery application so that ``celery -A portal`` and Django share it."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
