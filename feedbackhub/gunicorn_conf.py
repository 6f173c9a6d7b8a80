"""How the web process runs: `gunicorn -c python:feedbackhub.gunicorn_conf feedbackhub.wsgi`.

Threads and kept connections, never sync workers: an export streams for minutes in one thread while
the others answer. The application is loaded once and then forked, so that the workers share memory.
"""

import gc
import os
from pathlib import Path

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
worker_class = "gthread"
preload_app = True
keepalive = 65  # longer than a proxy keeps its own end
timeout = 60  # of silence from a worker, not of one request
graceful_timeout = 30
limit_request_line = 8190  # an id of 200 characters, all of them escaped
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
secure_scheme_headers = {}  # whether a proxy is trusted is Django's question: BEHIND_PROXY


def when_ready(server):
    from django.template import engines
    from django.urls import get_resolver

    engines.all()
    get_resolver().url_patterns  # noqa: B018  # every page, which the first request would load
    gc.collect()
    gc.freeze()  # so that collecting garbage does not copy what the workers share
