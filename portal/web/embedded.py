"""How does one process do everything? gunicorn with threads for the pages; Celery's worker and clock as threads beside them."""

import logging
import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

logger = logging.getLogger(__name__)


def bind_address() -> str:
    """Host and port of PORTAL_BASE_URL, to listen on."""
    parts = urlsplit(settings.PORTAL_BASE_URL)
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


class BackgroundWork:
    """Celery's worker and beat inside this process. The memory broker lives and dies with it; the rows do not."""

    def __init__(self, concurrency: int) -> None:
        from celery import current_app as app
        from celery.beat import Scheduler, Service

        app.loader.import_default_modules()
        self.worker = app.WorkController(app=app, pool_cls="threads", concurrency=concurrency, without_gossip=True,
                                         without_mingle=True, without_heartbeat=True)  # fmt: skip
        self.beat = Service(app, max_interval=1, scheduler_cls=Scheduler)
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start both; returns at once."""
        for name, target in (("jobs", self.worker.start), ("clock", self.beat.start)):
            thread = threading.Thread(target=self._run, args=(target,), name=name, daemon=True)
            thread.start()
            self.threads.append(thread)

    def _run(self, target: Any) -> None:
        from celery.exceptions import WorkerShutdown, WorkerTerminate

        try:
            target()
        except (WorkerShutdown, WorkerTerminate):
            logger.info("Jobs stopped.")

    def stop(self) -> None:
        """Stop taking work. What is under way ends by itself or is taken up again after its lease."""
        self.beat.stop()
        self.worker.stop()


def _close_connections(**_: Any) -> None:
    from django.db import close_old_connections

    close_old_connections()


class EmbeddedServer(BaseApplication):  # type: ignore[misc]
    """gunicorn without a configuration file."""

    def __init__(self, bind: str, *, with_jobs: bool) -> None:
        self.bind, self.with_jobs = bind, with_jobs
        self.work: BackgroundWork | None = None
        super().__init__()

    def load_config(self) -> None:
        values = {
            "bind": self.bind,
            "workers": 1,
            "worker_class": "portal.web.patience.PatientWorker",
            "threads": settings.PORTAL_THREADS,
            "limit_request_line": 8190,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": 30,
            "forwarded_allow_ips": ",".join(settings.PORTAL_TRUSTED_PROXIES) or "127.0.0.1",
            "control_socket_disable": True,
            "post_worker_init": self.started,
            "worker_exit": self.stopped,
        }
        for name, value in values.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()

    def started(self, worker: Any) -> None:
        """In the worker process: start the jobs."""
        if not self.with_jobs:
            return
        from celery.signals import task_postrun, task_prerun

        task_prerun.connect(_close_connections, weak=False)
        task_postrun.connect(_close_connections, weak=False)
        self.work = BackgroundWork(concurrency=4)
        self.work.start()

    def stopped(self, server: Any, worker: Any) -> None:
        """In the worker process, on its way out."""
        if self.work:
            self.work.stop()
