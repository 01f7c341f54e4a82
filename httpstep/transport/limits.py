"""How much a call may take. Tests hand in smaller figures."""

from __future__ import annotations

from msgspec import Struct

MEGABYTE = 1024 * 1024


class Limits(Struct, frozen=True):
    """Sizes in bytes, times in seconds.

    decoded: the body after gzip. wire: all that is received for one call, header lines and chunk framing included.
    head: status line and headers of one answer, interim answers (100 Continue) included.
    idle_seconds: how long an unused connection may be taken up again; idle_unpromised where the server did not say
    how long it keeps it: many close after 5 seconds, some after 2. idle_connections: kept open in all, for
    every account together; the one used longest ago goes first. connections_per_host: of them, for one account.
    """

    decoded: int = MEGABYTE
    wire: int = 2 * MEGABYTE
    head: int = 256 * 1024
    redirects: int = 3
    lookups: int = 64
    lookups_per_account: int = 4
    idle_seconds: float = 30.0
    idle_unpromised: float = 4.0
    idle_connections: int = 256
    connections_per_host: int = 64
