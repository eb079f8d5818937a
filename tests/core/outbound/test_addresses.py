"""Only the public Internet is open, whatever form an address takes."""

from __future__ import annotations

import ipaddress
import random
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from AntiSSRF import IPAddressRanges
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from core.outbound.addresses import REFUSED, unwrapped, why_refused

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "198.17.255.255", "223.255.255.255", "168.63.129.17",
    "2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:200::1", "2001:4860:4860::8888",
    # Mapped: the kernel dials 8.8.8.8.
    "::ffff:8.8.8.8",
]  # fmt: skip
INSIDE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::2", "100::1", "2001::1", "2001:db8::1", "3ffe::1", "3fff::1", "4000::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ffff::1",
]  # fmt: skip
# 169.254.169.254 and 10.0.0.1, put into every form that carries an IPv4 address.
CARRYING = [
    "::ffff:169.254.169.254", "::169.254.169.254", "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.1", "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1", "2001:0:808:808::5601:5601", "2a00:1450::5efe:10.0.0.1",
    "2a00:1450::200:5efe:169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_open(text: str) -> None:
    assert why_refused(ip_address(text)) is None


@pytest.mark.parametrize("text", INSIDE + CARRYING)
def test_other_addresses_are_not(text: str) -> None:
    assert why_refused(ip_address(text))


def test_what_others_know_to_be_inside_is_refused_from_end_to_end() -> None:
    texts = {*IPAddressRanges.recommended_v1, *IPAddressRanges.recommended_latest}
    for network in map(ip_network, texts):
        for address in (network[0], network[-1], network[network.num_addresses // 2]):
            assert why_refused(address), address


def test_random_addresses_are_open_only_where_two_others_agree() -> None:
    inside = [ip_network(text) for text in IPAddressRanges.recommended_latest]
    source = random.Random(1795)
    tops = [0, 0x0064_FF9B << 96, 0x2001 << 112, 0x2002 << 112, 0x2A00 << 112, 0xFE80 << 112]
    numbers = [
        source.choice(tops) + source.getrandbits(source.choice((32, 64, 111))) for _ in range(2000)
    ]
    some: list[Any] = [ipaddress.IPv6Address(number) for number in numbers]
    others: list[Any] = [ipaddress.IPv4Address(source.getrandbits(32)) for _ in range(2000)]
    for address in (*some, *others):
        if why_refused(address) is None:
            mapped = getattr(address, "ipv4_mapped", None) or address
            assert mapped.is_global, address
            assert not any(mapped in network for network in inside), address


def test_the_carried_addresses_are_found() -> None:
    for text in CARRYING[1:]:
        assert {str(inner) for inner in unwrapped(ip_address(text))} & {
            "169.254.169.254",
            "10.0.0.1",
        }, text
    assert list(unwrapped(ip_address("10.0.0.1"))) == []


def test_operators_open_ranges_and_nothing_beside_them(settings: Settings) -> None:
    settings.SSRF_ALLOW_CIDRS = ["10.1.0.0/16", "::1/128", "fd00::/8"]
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "::1", "fd00::7"):
        assert why_refused(ip_address(text)) is None, text
    for text in ("10.2.0.1", "127.0.0.1", "::2", "fc00::1", "2002:a01:203::1"):
        assert why_refused(ip_address(text)), text


def test_an_opened_gateway_still_does_not_lead_inside(settings: Settings) -> None:
    settings.SSRF_ALLOW_CIDRS = ["64:ff9b::/96"]

    assert why_refused(ip_address("64:ff9b::8.8.8.8")) is None
    assert why_refused(ip_address("64:ff9b::169.254.169.254"))


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0.1/8", "0.0.0.0/0", "::/0", "inside", ""])
def test_nonsense_in_the_setting_is_found_at_start(settings: Settings, text: str) -> None:
    settings.SSRF_ALLOW_CIDRS = ["10.0.0.0/8", text]
    found = {str(finding.id): finding for finding in run_checks()}
    if text == "10.0.0.0":
        assert "core.E023" not in found  # one address
        return
    assert repr(text) in found["core.E023"].msg
    assert (found["core.E023"].hint or "").endswith(".")


def test_every_range_says_why() -> None:
    assert all(REFUSED.values())
