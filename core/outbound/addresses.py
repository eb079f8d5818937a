"""Which addresses a customer's URL may lead to: those of the public Internet and no others.

The table follows the special-purpose registries of IANA (RFC 6890) and adds the places where clouds
answer their own machines. Of IPv6 only global unicast (2000::/3) is public, and not all of that. An
address that carries an IPv4 address in itself is judged by that too: some gateway may unwrap it.
`SSRF_ALLOW_CIDRS` opens ranges again; it is for the operator, customers have no say in it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

REFUSED: dict[str, str] = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier-grade NAT",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "a cloud's own server",
    "169.254.0.0/16": "link-local, cloud metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "IETF protocols, cloud metadata",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarks",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, broadcast",
    # Loopback, mapped and translated IPv4, discard and every range not given to anybody yet.
    "::/3": "not global unicast",
    "4000::/2": "not global unicast",
    # Unique local, link-local, site-local, multicast.
    "8000::/1": "not global unicast",
    "2001::/23": "IETF protocols, Teredo",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "AS112",
    "3ffe::/16": "6bone",
    "3fff::/20": "documentation",
}
_REFUSED = tuple((ipaddress.ip_network(text), why) for text, why in REFUSED.items())

# Prefixes with an IPv4 address behind them, and how many bits follow it.
_WRAPPING: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::/96"), 0),  # IPv4-compatible
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64 of one's own, RFC 8215
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
    (IPv6Network("2001::/32"), 64),  # Teredo's server, RFC 4380
)
_TEREDO = IPv6Network("2001::/32")
_ISATAP = (0x5EFE, 0x0200_5EFE)  # RFC 5214: the upper half of the interface's id


def why_refused(address: Address) -> str | None:
    """Why nobody may be sent there, for staff and logs; None when they may."""
    return _judged(address, allowed_networks())


def allowed_networks() -> tuple[Network, ...]:
    """What the operator opened. Raises ValueError for what is no network; core.E030 says so."""
    return _networks(tuple(settings.SSRF_ALLOW_CIDRS))


def unusable_networks(texts: Sequence[str]) -> list[str]:
    """Those of the texts that are no networks, or the whole of the Internet."""
    return [text for text in texts if not _is_usable(text)]


def unwrapped(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses an IPv6 address carries in one of the known forms."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    for prefix, bits_after in _WRAPPING:
        if address in prefix:
            yield IPv4Address(number >> bits_after & 0xFFFF_FFFF)
    if address in _TEREDO:
        yield IPv4Address(~number & 0xFFFF_FFFF)
    if number >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)


@lru_cache(maxsize=4096)
def _judged(address: Address, allowed: tuple[Network, ...]) -> str | None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # the kernel dials IPv4 for these
    opened = any(address in network for network in allowed)
    for inner in unwrapped(address):
        if not _is_filler(inner, opened=opened) and (why := _judged(inner, allowed)):
            return f"carries {inner}: {why}"
    if opened:
        return None
    return next((why for network, why in _REFUSED if address in network), None)


def _is_filler(inner: IPv4Address, *, opened: bool) -> bool:
    """`::` and `::1` look as if they carried an address; once opened, they are what they are."""
    return opened and int(inner) <= 1


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def _is_usable(text: str) -> bool:
    try:
        return ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False
