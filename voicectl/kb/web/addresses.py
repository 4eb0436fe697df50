"""Where a web address leads, and whether we may go there.

The address of a document may come from anybody: a page redirects to it, a sitemap lists it. We run where such people
cannot reach: next to databases, routers and the metadata service of a cloud. So:

- An address is read by one strict pattern or not at all. Browsers mend backslashes, tabs, missing slashes and user
  names before an "@"; two readers that mend differently disagree about the host, and one of them does the checking.
- A host that ends in a number is an IP address in its canonical spelling or refused: "0x7f.1", "0177.0.0.1" and
  "2130706433" all mean 127.0.0.1 to the system's resolver. Full-width and circled digits are digits first.
- What is checked is the very object that is handed to the HTTP client.
- An IP address is public when no list of special ones has it. `ipaddress.is_global` is not enough: Python 3.11 holds
  multicast, 6to4 and NAT64 addresses for global, and with them the 127.0.0.1 inside.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from voicectl.kb.web import Unfetchable

if TYPE_CHECKING:
    from yarl import URL

IPAddress = IPv4Address | IPv6Address

LONGEST = 2048
"""Characters of an address; the sitemap protocol allows no more."""

_URL = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[^\s/?#@\\:\[\]%]+)(?::[0-9]{0,5})?(?:[/?#].*)?", re.IGNORECASE)
_UNWRITTEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
"""White space, controls and backslashes: in no address, and mended by somebody if they are let through."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def web_address(text: str) -> URL:
    """The address in normal form: scheme and host in lower case, default port, dot segments and fragment dropped.

    Two spellings of one address become equal. Raises Unfetchable for what is no plain http or https address.
    """
    from yarl import URL

    if len(text) > LONGEST:
        raise Unfetchable(f"its address is longer than {LONGEST} characters")
    if _UNWRITTEN.search(text) or not _URL.fullmatch(text):
        raise Unfetchable("it is no plain web address; one looks like https://example.com/page")
    try:
        url = URL(text).with_fragment(None)
        host = (url.raw_host or "").removesuffix(".")
        _check_host(host)
        port = None if url.is_default_port() else url.port
        return url.with_host(host).with_port(port).with_path(url.raw_path, encoded=True, keep_query=True)
    except ValueError as bad:  # of yarl, idna and ipaddress
        raise Unfetchable("its host or its port cannot be right") from bad


def redirect(url: URL, location: str) -> URL:
    """Where the answer for `url` leads, which may be said in relation to it. Raises Unfetchable."""
    if _UNWRITTEN.search(location):  # urljoin mends some of them
        raise Unfetchable("it leads to what is no plain web address")
    return web_address(urljoin(str(url), location))


def ip_of(url: URL) -> IPAddress | None:
    """The IP address in the place of a host name, if that is what stands there."""
    host = url.raw_host or ""
    return ip_address(host) if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) else None


def is_public(ip: IPAddress) -> bool:
    """Whether the address belongs to a machine of the public internet that anybody could ask."""
    ip = _unwrapped(ip)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_4)
    return ip in _GLOBAL_6 and not any(ip in network for network in _SPECIAL_6)


def is_private(ip: IPAddress) -> bool:
    """Whether the address belongs to this machine or to a network of the owner's: the ones an intranet is made of."""
    ip = _unwrapped(ip)
    return any(ip in network for network in _PRIVATE) and ip not in _METADATA


def _check_host(host: str) -> None:
    if ":" in host:
        IPv6Address(host)
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        IPv4Address(host)
    elif len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(host)


def _unwrapped(ip: IPAddress) -> IPAddress:
    """The IPv4 address inside, where that is where packets go: IPv4-mapped and NAT64 (RFC 6052).

    6to4 and Teredo hold one as well, but no website lives there: they are special, whatever is inside.
    """
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip


_NAT64 = ip_network("64:ff9b::/96")
_GLOBAL_6 = ip_network("2000::/3")
"""All that is handed out for global unicast; loopback, link-local, site-local, multicast and the rest lie outside."""

# IANA's registries of special-purpose addresses (RFC 6890), and multicast, class E and Azure's inner server.
_SPECIAL_4 = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by number; answers from inside Azure only
        "169.254.0.0/16",  # link-local, with most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",
    )
]
_SPECIAL_6 = [
    ip_network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
_PRIVATE = [
    ip_network(network)
    for network in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7")
]
_METADATA = [ip_address("100.100.100.200"), ip_address("fd00:ec2::254")]
"""Metadata services that live among private addresses: Alibaba's and Amazon's."""
