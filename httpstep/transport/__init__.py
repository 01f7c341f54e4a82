"""Floor 2: the guarded call. requests, urllib3, socket and ssl are used here and nowhere else.

limits        how much a call may take
call          one call under way: deadline, size, what it saw
targets       the URL, read once and strictly
outgoing      what is sent at each hop of a call
resolving     names to addresses, in bounded places
dialing       judge every address, connect to one of them
sockets, tls  connections that keep the deadline; whom we trust
connections   those of urllib3, wired to use these, and kept
idle          connections at rest
answers       the body, bounded
codings       its compression undone, whatever its headers say
pausing       the wait between two tries
failures      foreign exceptions to ours
sending       Transport, which puts these together
"""

from httpstep.transport.limits import Limits
from httpstep.transport.pausing import wait
from httpstep.transport.sending import Transport

__all__ = ["Limits", "Transport", "wait"]
