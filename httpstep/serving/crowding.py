"""Which connections a crowded worker closes: of whoever keeps most of them waiting, those that have waited longest.

Behind a proxy all have one address, and so the oldest of all go first, which is as right.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Final

MANY: Final = 100
"""Connections of one address that wait; from so many on its newest are no safer than its oldest."""
GRACE: Final = 1.0
"""Seconds in which a client that has just come, of an address with fewer, may send its request."""

Waiting = tuple[float, Any]
"""Since when, by time.monotonic(), and the connection: one of gunicorn's, without a request under way."""


def to_close(waiting: Iterable[Waiting], count: int, now: float) -> list[Any]:
    """The connections, `count` of them or as many as there are to be closed."""
    by_address: dict[str, deque[Waiting]] = defaultdict(deque)
    for since, conn in sorted(waiting, key=lambda one: one[0]):
        by_address[_address(conn)].append((since, conn))
    greediest = [(-len(own), address) for address, own in by_address.items()]
    heapq.heapify(greediest)
    chosen: list[Any] = []
    while greediest and len(chosen) < count:
        size, address = heapq.heappop(greediest)
        since, conn = by_address[address][0]
        if -size < MANY and since > now - GRACE:
            continue
        by_address[address].popleft()
        chosen.append(conn)
        if by_address[address]:
            heapq.heappush(greediest, (size + 1, address))
    return chosen


def _address(conn: Any) -> str:
    return conn.client[0] if isinstance(conn.client, tuple) else str(conn.client)
