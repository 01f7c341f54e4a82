"""Which addresses a step may call, judged one by one and at the edges of every range."""

from __future__ import annotations

import timeit
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from httpstep.core.addresses import DESCRIPTIONS, AddressPolicy, Verdict, classify_address

NOTHING = AddressPolicy()
REFUSED_NETWORKS = {
    "0.0.0.0/8": Verdict.UNSPECIFIED,
    "10.0.0.0/8": Verdict.PRIVATE,
    "100.64.0.0/10": Verdict.CGNAT,
    "127.0.0.0/8": Verdict.LOOPBACK,
    "169.254.0.0/16": Verdict.LINK_LOCAL,
    "172.16.0.0/12": Verdict.PRIVATE,
    "192.0.0.0/24": Verdict.RESERVED,
    "192.0.2.0/24": Verdict.DOCUMENTATION,
    "192.88.99.0/24": Verdict.EMBEDDED_IPV4,
    "192.168.0.0/16": Verdict.PRIVATE,
    "198.18.0.0/15": Verdict.BENCHMARKING,
    "198.51.100.0/24": Verdict.DOCUMENTATION,
    "203.0.113.0/24": Verdict.DOCUMENTATION,
    "224.0.0.0/4": Verdict.MULTICAST,
    "2001::/32": Verdict.EMBEDDED_IPV4,
    "2001:db8::/32": Verdict.DOCUMENTATION,
    "2002::/16": Verdict.EMBEDDED_IPV4,
    "3fff::/20": Verdict.DOCUMENTATION,
    "fc00::/7": Verdict.PRIVATE,
    "fe80::/10": Verdict.LINK_LOCAL,
    "fec0::/10": Verdict.PRIVATE,
    "ff00::/8": Verdict.MULTICAST,
}


@pytest.mark.parametrize(("network", "verdict"), REFUSED_NETWORKS.items())
def test_it_refuses_the_first_and_the_last_address_of_a_range(network: str, verdict: Verdict) -> None:
    whole = ip_network(network)
    assert classify_address(whole.network_address, NOTHING) is verdict
    assert classify_address(whole.broadcast_address, NOTHING) is verdict
    assert classify_address(whole.network_address + whole.num_addresses // 2, NOTHING) is verdict


@pytest.mark.parametrize(
    "address",
    [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "192.31.196.1",
        "192.52.193.1",
        "192.175.48.1",
        "168.63.129.15",
        "168.63.129.17",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "2000::",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "2620:4f:8000::1",
    ],
)
def test_it_allows_the_public_neighbours_of_a_range(address: str) -> None:
    assert classify_address(address, NOTHING) is Verdict.ALLOW


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("240.0.0.0", Verdict.RESERVED),
        ("255.255.255.254", Verdict.RESERVED),
        ("255.255.255.255", Verdict.BROADCAST),
        ("::", Verdict.UNSPECIFIED),
        ("::1", Verdict.LOOPBACK),
        ("::2", Verdict.EMBEDDED_IPV4),
        ("::127.0.0.1", Verdict.EMBEDDED_IPV4),
        ("::8.8.8.8", Verdict.EMBEDDED_IPV4),
        ("::ffff:0:127.0.0.1", Verdict.EMBEDDED_IPV4),
        ("64:ff9b::7f00:1", Verdict.EMBEDDED_IPV4),
        ("64:ff9b::10.0.0.5", Verdict.EMBEDDED_IPV4),
        ("64:ff9b:1::", Verdict.EMBEDDED_IPV4),
        ("64:ff9b:1:ffff::1", Verdict.EMBEDDED_IPV4),
        ("2002:7f00:1::", Verdict.EMBEDDED_IPV4),
        ("2001:0:1::1", Verdict.EMBEDDED_IPV4),
        ("2001:2::1", Verdict.RESERVED),
        ("2001:10::1", Verdict.RESERVED),
        ("2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Verdict.RESERVED),
        ("fec0::1", Verdict.PRIVATE),
        ("5f00::1", Verdict.RESERVED),
        ("3fff::1", Verdict.DOCUMENTATION),
        ("100::1", Verdict.RESERVED),
        ("100:0:0:1::1", Verdict.RESERVED),
        ("4000::", Verdict.RESERVED),
        ("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Verdict.RESERVED),
        ("fbff::1", Verdict.RESERVED),
        ("fe00::1", Verdict.RESERVED),
        ("fe80::1%2", Verdict.LINK_LOCAL),
    ],
)
def test_it_names_why_an_address_is_special(address: str, verdict: Verdict) -> None:
    assert classify_address(address, NOTHING) is verdict


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "8.8.8.8", "169.254.169.254", "192.168.1.1", "1.1.1.1"])
def test_a_mapped_address_is_judged_as_the_ipv4_address_it_stands_for(inner: str) -> None:
    assert classify_address(f"::ffff:{inner}", NOTHING) is classify_address(inner, NOTHING)


def test_a_public_site_behind_nat64_can_be_called() -> None:
    assert classify_address("64:ff9b::8.8.8.8", NOTHING) is Verdict.ALLOW


EVERYTHING = AddressPolicy.parse("0.0.0.0/0, ::/0, metadata.internal")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2002:a9fe:a9fe::1",
        "2001:0:1::5601:5601",
        "2001:0:a9fe:a9fe::1",
    ],
)
def test_metadata_is_refused_in_every_form_even_where_all_is_allowed(address: str) -> None:
    assert classify_address(address, NOTHING) is Verdict.METADATA
    assert classify_address(address, EVERYTHING, "metadata.internal") is Verdict.METADATA


def test_an_operator_allows_networks_and_addresses() -> None:
    policy = AddressPolicy.parse(" 10.1.0.0/16, 127.0.0.1 ,fd00:1::/32,,::1")
    assert classify_address("10.1.255.255", policy) is Verdict.ALLOW
    assert classify_address("10.2.0.0", policy) is Verdict.PRIVATE
    assert classify_address("127.0.0.1", policy) is Verdict.ALLOW
    assert classify_address("::ffff:10.1.0.1", policy) is Verdict.ALLOW
    assert classify_address("127.0.0.2", policy) is Verdict.LOOPBACK
    assert classify_address("fd00:1::5", policy) is Verdict.ALLOW
    assert classify_address("fd00:2::5", policy) is Verdict.PRIVATE
    assert classify_address("::1", policy) is Verdict.ALLOW


def test_an_operator_allows_a_host_name_whatever_it_resolves_to() -> None:
    policy = AddressPolicy.parse("CRM.Internal., localhost")
    assert classify_address("10.0.0.5", policy, "crm.internal") is Verdict.ALLOW
    assert classify_address("10.0.0.5", policy, "CRM.INTERNAL.") is Verdict.ALLOW
    assert classify_address("10.0.0.5", policy, "evil.crm.internal") is Verdict.PRIVATE
    assert classify_address("10.0.0.5", policy) is Verdict.PRIVATE


def test_a_mapped_network_means_the_ipv4_network() -> None:
    assert classify_address("10.1.2.3", AddressPolicy.parse("::ffff:10.0.0.0/104")) is Verdict.ALLOW


def test_no_text_allows_nothing_special() -> None:
    assert AddressPolicy.parse("") == AddressPolicy.parse(" , ") == NOTHING


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("10.0.0.0/33", "“10.0.0.0/33” is not a network"),
        ("10.0.0.256", "“10.0.0.256” is not a network"),
        ("fd00::/200", "“fd00::/200”"),
        ("*.internal", "without wildcard"),
        ("http://crm.internal", "“http://crm.internal”"),
        ("crm.internal:8080", "“crm.internal:8080”"),
        ("10.0.0.0/8; ::1", "“10.0.0.0/8; ::1”"),
        ("a..b", "“a..b” is not a host name"),
        ("-a.b", "“-a.b” is not a host name"),
    ],
)
def test_a_wrong_entry_is_quoted_in_a_sentence(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        AddressPolicy.parse(f"::1, {text}")
    assert part in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "2130706433", "1.2.3.4.5", "::g"])
def test_only_a_resolved_address_is_judged(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        classify_address(text, NOTHING)


def test_it_takes_address_objects() -> None:
    assert classify_address(IPv4Address("10.0.0.1"), NOTHING) is Verdict.PRIVATE
    assert classify_address(IPv6Address("::1"), NOTHING) is Verdict.LOOPBACK


def test_every_verdict_can_be_put_in_a_sentence() -> None:
    assert set(DESCRIPTIONS) == set(Verdict)


def test_a_verdict_costs_less_than_50_microseconds() -> None:
    addresses = [ip_address(text) for text in ("8.8.8.8", "2606:4700::1", "10.0.0.1", "fe80::1")]
    seconds = min(timeit.repeat(lambda: [classify_address(a, NOTHING) for a in addresses], number=250, repeat=3))
    assert seconds / 1000 < 50e-6
