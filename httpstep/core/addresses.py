"""Where a call may go: one address in, one named verdict out.

The table is written out from the IANA special-purpose address registries (RFC 6890 and its updates, as registered
up to RFC 9780, May 2025) instead of asking `ipaddress.is_private`, whose answer changes with the Python patch level
and lets tunnels to private addresses through. IPv6 is an allow-list: only 2000::/3, the global unicast space
(RFC 4291, 2.4), can be called at all.
"""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from msgspec import Struct

from httpstep.core.regex import regex

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Verdict(StrEnum):
    """Why an address may or may not be called. Everything but ALLOW is a refusal; METADATA cannot be allowed."""

    ALLOW = "allow"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link_local"
    METADATA = "metadata"
    CGNAT = "cgnat"
    EMBEDDED_IPV4 = "embedded_ipv4"
    UNSPECIFIED = "unspecified"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    DOCUMENTATION = "documentation"
    BENCHMARKING = "benchmarking"
    RESERVED = "reserved"


DESCRIPTIONS: Final = {
    Verdict.ALLOW: "is allowed",
    Verdict.PRIVATE: "is private",
    Verdict.LOOPBACK: "is the loopback address of this machine",
    Verdict.LINK_LOCAL: "is a link-local address",
    Verdict.METADATA: "is a cloud metadata address, which can never be called",
    Verdict.CGNAT: "is a private address of a carrier network",
    Verdict.EMBEDDED_IPV4: "hides an IPv4 address",
    Verdict.UNSPECIFIED: "means this machine",
    Verdict.MULTICAST: "is a multicast address",
    Verdict.BROADCAST: "is the broadcast address",
    Verdict.DOCUMENTATION: "is reserved for documentation",
    Verdict.BENCHMARKING: "is reserved for benchmarks",
    Verdict.RESERVED: "is reserved",
}
"""Each verdict as the end of the sentence "Address not allowed: 10.0.0.5 …"."""

_IPV4: Final = (
    ("0.0.0.0/8", Verdict.UNSPECIFIED),  # RFC 791, 3.2: "this network"; Linux connects 0.0.0.0 to itself
    ("10.0.0.0/8", Verdict.PRIVATE),  # RFC 1918
    ("100.64.0.0/10", Verdict.CGNAT),  # RFC 6598
    ("127.0.0.0/8", Verdict.LOOPBACK),  # RFC 1122, 3.2.1.3
    ("169.254.0.0/16", Verdict.LINK_LOCAL),  # RFC 3927
    ("172.16.0.0/12", Verdict.PRIVATE),  # RFC 1918
    ("192.0.0.0/24", Verdict.RESERVED),  # RFC 6890: IETF protocol assignments
    ("192.0.2.0/24", Verdict.DOCUMENTATION),  # RFC 5737
    ("192.88.99.0/24", Verdict.EMBEDDED_IPV4),  # RFC 7526: relays of 6to4, deprecated
    ("192.168.0.0/16", Verdict.PRIVATE),  # RFC 1918
    ("198.18.0.0/15", Verdict.BENCHMARKING),  # RFC 2544
    ("198.51.100.0/24", Verdict.DOCUMENTATION),  # RFC 5737
    ("203.0.113.0/24", Verdict.DOCUMENTATION),  # RFC 5737
    ("224.0.0.0/4", Verdict.MULTICAST),  # RFC 5771
    ("255.255.255.255/32", Verdict.BROADCAST),  # RFC 919; before 240/4, which contains it
    ("240.0.0.0/4", Verdict.RESERVED),  # RFC 1112, 4
)
_IPV6: Final = (
    ("::/128", Verdict.UNSPECIFIED),  # RFC 4291, 2.5.2
    ("::1/128", Verdict.LOOPBACK),  # RFC 4291, 2.5.3
    ("::/96", Verdict.EMBEDDED_IPV4),  # RFC 4291, 2.5.5.1: IPv4-compatible, deprecated
    ("::ffff:0:0:0/96", Verdict.EMBEDDED_IPV4),  # RFC 7915: IPv4-translated
    ("64:ff9b:1::/48", Verdict.EMBEDDED_IPV4),  # RFC 8215: local translation
    ("2001::/32", Verdict.EMBEDDED_IPV4),  # RFC 4380: Teredo
    ("2001::/23", Verdict.RESERVED),  # RFC 2928: IETF protocol assignments, benchmarks, ORCHID
    ("2001:db8::/32", Verdict.DOCUMENTATION),  # RFC 3849
    ("2002::/16", Verdict.EMBEDDED_IPV4),  # RFC 3056: 6to4
    ("3fff::/20", Verdict.DOCUMENTATION),  # RFC 9637
    ("2000::/3", Verdict.ALLOW),  # RFC 4291: global unicast
    ("fc00::/7", Verdict.PRIVATE),  # RFC 4193
    ("fe80::/10", Verdict.LINK_LOCAL),  # RFC 4291, 2.5.6
    ("fec0::/10", Verdict.PRIVATE),  # RFC 3879: site-local, deprecated
    ("ff00::/8", Verdict.MULTICAST),  # RFC 4291, 2.7
    ("::/0", Verdict.RESERVED),  # all else, 100::/64, 100:0:0:1::/64 and 5f00::/16 among it
)
_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google, Azure, OpenStack, DigitalOcean, Oracle and others
        "169.254.170.2",  # AWS container credentials
        "169.254.170.23",  # AWS pod identity
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's host agent, a public address
        "192.0.0.192",  # Oracle, older
        "169.254.42.42",  # Scaleway
        "fd00:42::42",
        "169.254.0.23",  # Tencent
    )
)

Range = tuple[int, int, Verdict]


def _ranges(table: tuple[tuple[str, Verdict], ...]) -> tuple[Range, ...]:
    """First and last address of each network as integers: comparing those costs a tenth of `in network`."""
    networks = [(ip_network(text), verdict) for text, verdict in table]
    return tuple((int(net.network_address), int(net.broadcast_address), verdict) for net, verdict in networks)


_RANGES_4: Final = _ranges(_IPV4)
_RANGES_6: Final = _ranges(_IPV6)
_LOW_32: Final = 0xFFFF_FFFF
# The first 96 bits of the networks whose last 32 are an IPv4 address.
_COMPATIBLE: Final = 0
_MAPPED: Final = 0xFFFF
_TRANSLATED: Final = 0xFFFF_0000
_NAT64: Final = 0x0064_FF9B << 64


class AddressPolicy(Struct, frozen=True):
    """What the operator allows beside public addresses: networks, and host names whatever they resolve to; and which
    of the ports in `core.ports`."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> AddressPolicy:
        """Read "10.0.0.0/8, ::1, crm.internal". Raises ValueError with a sentence that quotes the wrong entry."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in filter(None, (part.strip() for part in text.split(","))):
            if _looks_numeric(entry):
                networks.append(_parse_network(entry))
            else:
                hosts.add(_parse_host(entry))
        return cls(tuple(networks), frozenset(hosts))

    def allows(self, address: Address, host: str) -> bool:
        if host and _plain(host) in self.hosts:
            return True
        return any(address in network for network in self.networks)


def classify_address(ip: str | Address, policy: AddressPolicy, host: str = "") -> Verdict:
    """Judge one resolved address. `host` is the name it was resolved from, for the names the policy allows.

    An IPv4-mapped address (::ffff:0:0/96) gets the verdict of the IPv4 address it stands for, because that is
    where the system connects it. Raises ValueError for text that is no address.
    """
    address = _unmapped(ip_address(ip) if isinstance(ip, str) else ip)
    if address in _METADATA or any(inner in _METADATA for inner in _embedded(address)):
        return Verdict.METADATA
    verdict = _public_verdict(address)
    if verdict is not Verdict.ALLOW and policy.allows(address, host):
        return Verdict.ALLOW
    return verdict


_IN_A_TEXT: Final = regex(
    r"(?<![\w.:])\[?((?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})|\d{1,3}(?:\.\d{1,3}){3})\]?"
    r"(?!\.?\d)(?: \(([^()\s]+)\))?"
)
"""An address, and the name it was resolved from where a sentence of ours tells it behind."""


def without_internal(text: str) -> str:
    """The text without addresses that are not public: the name in their place where it follows, else "the address"."""

    def named(found: re.Match[str]) -> str:
        try:
            public = classify_address(found[1], AddressPolicy()) is Verdict.ALLOW
        except ValueError:
            return found[0]
        if public:
            return found[0]
        if found[2] and re.search(r"[g-z]", found[2], re.IGNORECASE):  # a name, and no address in another spelling
            return found[2]
        return "the address" if found.start() else "The address"

    return _IN_A_TEXT.sub(named, text)


def _public_verdict(address: Address) -> Verdict:
    value = int(address)
    if isinstance(address, IPv4Address):
        return _look_up(value, _RANGES_4, Verdict.ALLOW)
    if value >> 32 == _NAT64:
        # RFC 6052: behind NAT64 every IPv4 site has such an address, so what it stands for decides.
        inner = _look_up(value & _LOW_32, _RANGES_4, Verdict.ALLOW)
        return Verdict.ALLOW if inner is Verdict.ALLOW else Verdict.EMBEDDED_IPV4
    return _look_up(value, _RANGES_6, Verdict.RESERVED)


def _look_up(value: int, ranges: tuple[Range, ...], otherwise: Verdict) -> Verdict:
    for first, last, verdict in ranges:
        if first <= value <= last:
            return verdict
    return otherwise


def _unmapped(address: Address) -> Address:
    if isinstance(address, IPv6Address) and int(address) >> 32 == _MAPPED:
        return IPv4Address(int(address) & _LOW_32)
    return address


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Every IPv4 address a transition mechanism might carry in this IPv6 address."""
    if isinstance(address, IPv4Address):
        return ()
    value = int(address)
    low = value & _LOW_32
    inner: tuple[int, ...] = ()
    if value >> 32 in (_COMPATIBLE, _TRANSLATED, _NAT64):
        inner = (low,)
    elif value >> 80 == 0x0064_FF9B_0001:  # a /48 of NAT64 (RFC 6052, 2.2): eight bits are skipped in the middle
        inner = (low, (value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF)
    elif value >> 112 == 0x2002:  # 6to4 (RFC 3056, 2)
        inner = (value >> 80 & _LOW_32,)
    elif value >> 96 == 0x2001_0000:  # Teredo (RFC 4380, 4): the client's address is stored inverted
        inner = (low ^ _LOW_32, value >> 64 & _LOW_32)
    return tuple(IPv4Address(candidate) for candidate in inner)


def _looks_numeric(entry: str) -> bool:
    last_label = entry.rstrip(".").rpartition(".")[2]
    return "/" in entry or ":" in entry or last_label.isdigit()


def _parse_network(entry: str) -> Network:
    try:
        network = ip_network(entry)
    except ValueError:
        raise ValueError(_wrong_network(entry)) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and int(network.network_address) >> 32 == _MAPPED:
        return IPv4Network((int(network.network_address) & _LOW_32, network.prefixlen - 96))
    return network


def _wrong_network(entry: str) -> str:
    try:
        meant = ip_network(entry, strict=False)
    except ValueError:
        return f"“{entry}” is not a network, an address or a host name, such as 10.0.0.0/8, ::1 or crm.internal."
    return f"“{entry}” is not a network, because its address lies inside it; write {meant}."


_LABEL: Final = regex(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def _parse_host(entry: str) -> str:
    host = _plain(entry)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError(f"“{entry}” is not a host name; write it in full, without wildcard, scheme or port.")
    return host


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")
