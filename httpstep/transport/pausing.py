"""The wait between two tries, ended at once by a caller that goes away."""

from __future__ import annotations

import select
import time

from httpstep.core.errors import Cancelled
from httpstep.transport.call import HUNG_UP, tell_waiting


def wait(seconds: float, hangup: int | None = None) -> None:
    """Wait that long. hangup: descriptor of the caller's socket. Raises Cancelled when the caller goes."""
    tell_waiting()
    if hangup is None:
        time.sleep(seconds)
        return
    poll = select.poll()
    poll.register(hangup, HUNG_UP)
    if poll.poll(seconds * 1000):
        raise Cancelled("The caller hung up before the next try.", reason="cancelled")
