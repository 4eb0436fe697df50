from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.kb.web import Unfetchable
from voicectl.kb.web.addresses import ip_of, is_private, is_public, redirect, web_address

# network · what it is: every one of IANA's special-purpose registries, and what clouds answer on
SPECIAL = """
0.0.0.0/8           this network
10.0.0.0/8          private
100.64.0.0/10       carrier-grade NAT
127.0.0.0/8         loopback
168.63.129.16/32    Azure's inner server
169.254.0.0/16      link-local, metadata
172.16.0.0/12       private
192.0.0.0/24        protocol assignments
192.0.2.0/24        documentation
192.88.99.0/24      6to4 relays
192.168.0.0/16      private
198.18.0.0/15       benchmarking
198.51.100.0/24     documentation
203.0.113.0/24      documentation
224.0.0.0/3         multicast, class E, broadcast
::/96               unspecified, loopback, IPv4-compatible
::ffff:127.0.0.0/104   IPv4-mapped loopback
::ffff:10.0.0.0/104    IPv4-mapped private
::ffff:a9fe:0/112      IPv4-mapped link-local
64:ff9b::7f00:0/104    NAT64 of loopback
64:ff9b::a9fe:0/112    NAT64 of link-local
64:ff9b:1::/48      NAT64 for local use
100::/64            discard-only
2001::/32           Teredo
2001:2::/48         benchmarking
2001:10::/28        ORCHID
2001:20::/28        ORCHIDv2
2001:db8::/32       documentation
2002::/16           6to4
3fff::/20           documentation
5f00::/16           segment routing
fc00::/7            unique local
fe80::/10           link-local
fec0::/10           site-local
ff00::/8            multicast
"""


@pytest.mark.parametrize("line", SPECIAL.strip().splitlines())
def test_no_special_address_is_public(line: str) -> None:
    network = ip_network(line.split()[0])
    span = network.num_addresses
    assert not [str(network[at]) for at in {0, 1 % span, span // 2, span - 1} if is_public(network[at])]


@pytest.mark.parametrize(
    "ip",
    # the first and last public address beside each of them
    "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 "
    "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 "
    "198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 "
    "2001:200:: 2001:4860:4860::8888 2003:: 2606:4700:4700::1111 2a00:1450:4001:830::200e "
    "::ffff:1.1.1.1 64:ff9b::101:101".split(),
)
def test_neighbours_are_public(ip: str) -> None:
    assert is_public(ip_address(ip))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.integers(0, 2**32 - 1).map(lambda n: _nat64(n))))
def test_nothing_is_public_that_python_holds_for_special(ip: IPv4Address | IPv6Address) -> None:
    if is_public(ip):
        assert ip.is_global or (sys.version_info >= (3, 13) and isinstance(ip, IPv6Address))
        assert not (ip.is_multicast or ip.is_loopback or ip.is_link_local or ip.is_private or ip.is_unspecified)
        assert not is_private(ip)


def _nat64(v4: int) -> IPv6Address:
    return IPv6Address(int(IPv6Address("64:ff9b::")) + v4)


@pytest.mark.parametrize(
    ("ip", "private"),
    [
        ("10.1.2.3", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd12::1", True),
        ("::ffff:192.168.0.9", True),
        ("169.254.169.254", False),
        ("100.100.100.200", False),
        ("fd00:ec2::254", False),
        ("::ffff:100.100.100.200", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("8.8.8.8", False),
    ],
)
def test_metadata_is_no_part_of_an_intranet(ip: str, private: bool) -> None:
    assert is_private(ip_address(ip)) is private


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("HTTP://Shop.EXAMPLE:80/a/./b/../c?q=1#top", "http://shop.example/a/c?q=1"),
        ("https://shop.example", "https://shop.example/"),
        ("https://shop.example:443/", "https://shop.example/"),
        ("http://shop.example?page=2", "http://shop.example/?page=2"),
        ("http://shop.example./", "http://shop.example/"),
        ("https://münchen.example/straße?ort=köln", "https://xn--mnchen-3ya.example/stra%C3%9Fe?ort=k%C3%B6ln"),
        ("http://shop。example/", "http://shop.example/"),
        ("http://ＳＨＯＰ.example/", "http://shop.example/"),
        ("http://a_b.example/%7Ejo/", "http://a_b.example/~jo/"),
        ("http://shop.example/?next=http://user@elsewhere.example/", None),
        ("http://[2606:4700:0:0::1111]/", "http://[2606:4700::1111]/"),
        ("http://shop.example/a%2Fb", None),
    ],
)
def test_an_address_has_one_normal_form(typed: str, normal: str | None) -> None:
    assert str(web_address(typed)) == (normal or typed)
    assert web_address(normal or typed) == web_address(typed)


@given(st.text(alphabet="htps:/@\\.[]%#?0127xa-①。 \t", max_size=30).map(lambda text: f"http://{text}"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = web_address(text)
    except Unfetchable:
        return
    assert web_address(str(url)) == url
    assert url.scheme in ("http", "https")
    assert url.user is None
    assert url.raw_host
    ip = ip_of(url)
    assert ip is None or str(ip) == url.raw_host or isinstance(ip, IPv6Address)


def test_a_redirect_is_read_in_relation_to_its_page() -> None:
    page = web_address("https://shop.example/help/hours?x=1")
    assert str(redirect(page, "../returns")) == "https://shop.example/returns"
    assert str(redirect(page, "//www.shop.example/")) == "https://www.shop.example/"
    assert str(redirect(page, "?y=2")) == "https://shop.example/help/hours?y=2"
    for hostile in ("/\t/127.0.0.1/", "\\\\127.0.0.1\\", "javascript:alert(1)", "http:127.0.0.1", "file:///etc/passwd"):
        with pytest.raises(Unfetchable):
            redirect(page, hostile)
