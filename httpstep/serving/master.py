"""The master, gunicorn's arbiter: what it starts can be told to stop from its first moment on."""

from __future__ import annotations

import signal

from gunicorn.arbiter import Arbiter

STOPPING = {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT}


class Master(Arbiter):  # type: ignore[misc]
    """A worker has the master's handlers until it sets its own: what it was told before would be lost, and a stop would
    wait for it until the grace time is over. So such a signal waits; `Worker.init_signals` lets it through."""

    def spawn_worker(self) -> int:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            return int(super().spawn_worker())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
