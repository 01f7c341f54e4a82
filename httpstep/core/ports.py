"""Ports that no step calls: those of other protocols, which a request of HTTP can be made to speak to.

The first list is the Fetch standard's "bad ports" (https://fetch.spec.whatwg.org/#port-blocking, 2.9), which browsers
refuse as well; the second one databases, caches and queues, and what rules a machine. None of them is above 32767, where
systems give ports to whoever asks for any.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final
from urllib.parse import urlsplit

from httpstep.core.errors import InvalidRequest

BAD: Final = frozenset(
    [
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    ]
)  # fmt: skip
SERVICES: Final = {
    445: "Windows file sharing", 1433: "SQL Server", 1434: "SQL Server", 1521: "Oracle", 1883: "MQTT", 2181: "ZooKeeper",
    2375: "Docker", 2376: "Docker", 2379: "etcd", 2380: "etcd", 3306: "MySQL", 3389: "Remote Desktop", 4369: "Erlang",
    5432: "PostgreSQL", 5672: "RabbitMQ", 5984: "CouchDB", 6379: "Redis", 6380: "Redis", 6432: "PgBouncer",
    7000: "Cassandra", 7687: "Neo4j", 9042: "Cassandra", 9092: "Kafka", 9160: "Cassandra", 9200: "Elasticsearch",
    9300: "Elasticsearch", 10250: "Kubernetes", 11211: "memcached", 26379: "Redis", 27017: "MongoDB", 27018: "MongoDB",
    27019: "MongoDB", 28015: "RethinkDB",
}  # fmt: skip
ADVICE: Final = "Whoever runs this installation can allow it with HTTPSTEP_ALLOW_PORTS."


def fault(port: int, allowed: Set[int] = frozenset()) -> str | None:
    """Why steps may not call that port, as a sentence; None where they may."""
    if port in allowed or not (port in BAD or port in SERVICES):
        return None
    if port in SERVICES:
        return f"Port not allowed: {port} is that of {SERVICES[port]}, which steps do not call."
    return f"Port not allowed: {port} is that of another protocol than HTTP; browsers refuse it too."


def require(url: str, allowed: Set[int], place: str) -> None:
    """Raises InvalidRequest for an address with such a port. One that cannot be read is refused by whoever reads it."""
    try:
        port = urlsplit(url).port
    except ValueError:
        return
    sentence = None if port is None else fault(port, allowed)
    if sentence is not None:
        raise InvalidRequest(sentence, reason="port", advice=ADVICE, place=place)
