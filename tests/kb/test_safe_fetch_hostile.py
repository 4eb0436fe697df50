"""Addresses that want us to go where their author cannot. None may cost us a single packet (T19)."""

from __future__ import annotations

from ipaddress import ip_address
from xml.sax.saxutils import escape

import pytest
from web_rig import PUBLIC, Web, moved, on_the_web, said

from voicectl.kb.web import Unfetchable, WebDocument, documents, safe_fetch
from voicectl.kb.web.addresses import IPAddress
from voicectl.kb.web.safe_fetch import Fetcher

HOSTILE = {
    "loopback as an IPv4 address": """
        http://127.0.0.1/                   http://127.0.0.1:80/               http://127.0.0.1:443/
        https://127.0.0.1/                  http://127.255.255.254/            http://127.0.1.3/
        http://2130706433/                  http://017700000001/               http://0x7f000001/
        http://0x7F000001/                  http://0177.0.0.1/                 http://0177.0.0.01/
        http://0x7f.0.0.1/                  http://0x7f.1/                     http://127.1/
        http://127.0.1/                     http://127.0.0.1./                 http://127.0.0.1../
        http://127.0.0.0x1/                 http://0x7f.0x0.0x0.0x1/           http://00000177.0.0.1/
        http://127.0.0.1%20/                http://127%2e0%2e0%2e1/            http://%31%32%37.0.0.1/
        http://6425673729/                  http://127.0.0.1:080/              http://127.0.0.01/
        http://1.0x7f000001/                http://0x/                         http://383.0.0.1/
        HTTP://127.0.0.1/                   http://127.0.0.1?/                 http://127.0.0.1#@shop.example/
    """,
    "any address of this machine": """
        http://0/                           http://0.0.0.0/                    http://00.0/
        http://0x0/                         http://[::]/                       http://0.1.2.3/
    """,
    "digits that are not ASCII": """
        http://１２７.0.0.1/                http://①②⑦.⓪.⓪.①/                  http://127。0。0。1/
        http://127．0．0．1/                http://127｡0｡0｡1/                  http://𝟏𝟐𝟕.𝟎.𝟎.𝟏/
        http://１６９.２５４.１６９.２５４/   http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/                  http://⑯⑨。②⑤④。⑯⑨｡②⑤④/
        http://0𝗑7f000001/                  http://١٢٧.0.0.1/                  http://²¹³⁰⁷⁰⁶⁴³³/
    """,
    "loopback and private as IPv6 addresses": """
        http://[::1]/                       http://[0:0:0:0:0:0:0:1]/          http://[0000::0001]:80/
        http://[::ffff:127.0.0.1]/          http://[::ffff:7f00:1]/            http://[0:0:0:0:0:ffff:127.0.0.1]/
        http://[::127.0.0.1]/               http://[::ffff:0:127.0.0.1]/       http://[::FFFF:10.0.0.1]/
        http://[64:ff9b::7f00:1]/           http://[64:ff9b::127.0.0.1]/       http://[64:ff9b:1::a00:1]/
        http://[2002:7f00:1::]/             http://[2002:a9fe:a9fe::]/         http://[2001:0:7f00:1::1]/
        http://[2001::80ff:fffe]/           http://[fc00::1]/                  http://[fd00::2]/
        http://[fe80::1]/                   http://[fe80::1%25eth0]/           http://[fe80::1%eth0]/
        http://[::1%25lo]/                  http://[fec0::1]/                  http://[ff02::1]/
        http://[2001:db8::1]/               http://[100::1]/                   http://[v1.::1]/
        http://[::1                         http://::1/                        http://[::1]shop.example/
        http://shop.example[::1]/           http://[[::1]]/                    http://[127.0.0.1]/
    """,
    "private and special IPv4 addresses": """
        http://10.0.0.1/                    http://10.255.255.255/             http://172.16.0.1/
        http://172.31.255.254/              http://192.168.0.1/                http://192.168.1.254/
        http://100.64.0.1/                  http://192.0.2.1/                  http://198.18.0.1/
        http://198.51.100.7/                http://203.0.113.7/                http://192.88.99.1/
        http://224.0.0.1/                   http://239.255.255.250/            http://240.0.0.1/
        http://255.255.255.255/             http://192.0.0.8/                  http://3232235777/
    """,
    "metadata services": """
        http://169.254.169.254/latest/meta-data/iam/                           http://169.254.169.254:80/
        http://2852039166/                  http://0xa9fea9fe/                 http://0251.0376.0251.0376/
        http://0xa9.0xfe.0xa9.0xfe/         http://169.254.43518/              http://169.16689662/
        http://025177524776/                http://[::ffff:169.254.169.254]/   http://[::ffff:a9fe:a9fe]/
        http://[64:ff9b::169.254.169.254]/  http://[fd00:ec2::254]/            http://[fe80::a9fe:a9fe]/
        http://169.254.170.2/v2/credentials http://100.100.100.200/latest/     http://192.0.0.192/opc/v2/
        http://168.63.129.16/machine        http://metadata.google.internal/computeMetadata/v1/
        http://metadata/                    http://instance-data/latest/       http://metadata.google.internal./
    """,
    "names that lead inside": """
        http://localhost/                   http://LOCALHOST/                  http://localhost./
        https://localhost/                  http://localhost.localdomain/      http://ip6-loopback/
        http://127.0.0.1.nip.example/       http://inside.example/             http://half.example/
        http://half-six.example/            http://mapped.example/             http://nat64.example/
        http://zone.example/                http://nowhere.example/            http://kubernetes.default.svc/
    """,
    "users, and what stands before or after the host": """
        http://shop.example@127.0.0.1/      http://shop.example:80@127.0.0.1/  http://shop.example%40127.0.0.1/
        http://user:word@shop.example/      http://@127.0.0.1/                 http://:@127.0.0.1/
        http://127.0.0.1@shop.example/      http://shop.example#@127.0.0.1:22/ http://a@b@127.0.0.1/
        http://127.0.0.1:80@shop.example:80/ http://127.0.0.1;@shop.example/   http://127.0.0.1&@shop.example/
        http://shop.example:@127.0.0.1/     http://127.0.0.1,shop.example/     http://shop.example:80:22/
    """,
    "schemes": """
        file:///etc/passwd                  ftp://127.0.0.1/                   gopher://127.0.0.1:6379/_PING
        dict://127.0.0.1:11211/stats        ldap://127.0.0.1/                  tftp://127.0.0.1/x
        data:text/html,hello                javascript:alert(1)                jar:http://127.0.0.1!/
        ws://127.0.0.1/                     unix:///var/run/docker.sock        http+unix://%2Fvar%2Frun%2Fdocker.sock/
        //127.0.0.1/                        http:127.0.0.1/                    http:/127.0.0.1/
        http:///127.0.0.1/                  http://                            http:
        blob:http://127.0.0.1/              view-source:http://127.0.0.1/      hxxp://127.0.0.1/
    """,
    "ports": """
        http://shop.example:22/             http://shop.example:6379/          http://shop.example:8080/
        https://shop.example:8443/          http://shop.example:0/             http://shop.example:65536/
        http://shop.example:80443/          http://shop.example:-80/           http://shop.example:+80/
        http://shop.example:８０/           http://shop.example:0x50/          http://shop.example:80a/
    """,
}
MENDED_BY_BROWSERS = [
    "http://127.0.0.1\\@shop.example/",
    "http://shop.example\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http:/\\127.0.0.1/",
    "http://shop.example\\.127.0.0.1/",
    "http://127.0.\t0.1/",
    "http://127.0.0.1\t/",
    "http://127.0.0.1\n/",
    "http://127.0.\r\n0.1/",
    "ht\ntp://127.0.0.1/",
    "h\tttp://127.0.0.1/",
    " http://127.0.0.1/",
    "http://127.0.0.1 /",
    "http://127.0.0.1/ HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "http://shop.example/\r\nX-Injected: yes",
    "http://127.0.0.1\x00.shop.example/",
    "http://127.0.0.1\x7f/",
    "http://127.0.0.1\u00a0/",
    "http://local\u00adhost/",
    "http://local\u200bhost/",
    "http://127.0.0.1\u2028/",
    "\ufeffhttp://127.0.0.1/",
    "http://" + "1" * 3000 + "/",
    "http://shop.example/" + "a" * 3000,
]
TABLE = [
    *((group, url) for group, lines in HOSTILE.items() for url in lines.split()),
    *(("mended by browsers", url) for url in MENDED_BY_BROWSERS),
]
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.localdomain": ["127.0.0.1"],
    "ip6-loopback": ["::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "inside.example": ["192.168.4.2"],
    "half.example": [PUBLIC, "10.0.0.1"],
    "half-six.example": [PUBLIC, "fd00::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "zone.example": ["fe80::1%1"],
    "nowhere.example": [],
    "kubernetes.default.svc": ["10.96.0.1"],
    "metadata": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data": ["169.254.169.254"],
}


def _prepare(web: Web) -> None:
    web.names |= {name: [addresses] for name, addresses in NAMES.items()}
    web["http://shop.example/"] = said("<h1>Hello</h1>")


def test_the_table_is_as_long_as_promised() -> None:
    assert len({url for _, url in TABLE}) >= 120


@pytest.mark.parametrize("group", sorted({group for group, _ in TABLE}))
def test_a_hostile_address_costs_no_connection(group: str) -> None:
    """Given by hand. One that only looks hostile would be a page like any other."""

    async def visit(web: Web) -> None:
        _prepare(web)
        reached: list[str] = []
        async with Fetcher(lookup=web.lookup) as fetcher:
            for url in (url for of, url in TABLE if of == group):
                before = len(web.network.connections)
                try:
                    await fetcher.fetch(url)
                    reached.append(f"{url} was fetched")
                except Unfetchable as why:
                    assert "127." not in str(why) and "10." not in str(why), "the reason tells of our network"
                if len(web.network.connections) > before:
                    reached.append(f"{url} was connected to")
        assert [each for each in reached if "shop.example#@" not in each] == []

    on_the_web(visit)


def test_nor_does_a_redirect_to_one() -> None:
    async def visit(web: Web) -> None:
        _prepare(web)
        async with Fetcher(lookup=web.lookup) as fetcher:
            for number, (_, url) in enumerate(TABLE):
                web[f"http://shop.example/{number}"] = moved(url)
                try:
                    got = await fetcher.fetch(f"http://shop.example/{number}")
                    assert got.final_url.startswith("http://shop.example/"), url
                except Unfetchable:
                    pass
        assert set(web.network.connections) == {(PUBLIC, 80)}
        assert len(web.requests) >= len(TABLE)

    on_the_web(visit)


def test_nor_does_a_sitemap_of_them() -> None:
    async def visit(web: Web) -> None:
        _prepare(web)
        listed = [url for _, url in TABLE if url.isprintable()] + ["http://shop.example/"]
        entries = "".join(f"<url><loc>{escape(url)}</loc></url>" for url in listed)
        web["http://shop.example/sitemap.xml"] = said(f"<urlset>{entries}</urlset>", "text/xml")
        lines = [url for url in listed if url.startswith("http://") and " " not in url]
        web["http://shop.example/list"] = said("\n".join(lines), "text/plain")
        for address in ("http://shop.example/sitemap.xml", "http://shop.example/list"):
            async with Fetcher(lookup=web.lookup) as fetcher:
                found = [each async for each in documents([address], fetcher=fetcher)]
            assert [each.source for each in found if isinstance(each, WebDocument)] == ["http://shop.example/"]
        assert set(web.network.connections) == {(PUBLIC, 80)}

    on_the_web(visit)


def test_the_table_is_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the judgement of addresses, what is spelled as one would be connected to."""

    def anything(ip: IPAddress) -> bool:
        return True

    async def visit(web: Web) -> int:
        _prepare(web)
        async with Fetcher(lookup=web.lookup) as fetcher:
            for _, url in TABLE:
                try:
                    await fetcher.fetch(url)
                except Unfetchable:
                    pass
        return len([host for host, _ in web.network.connections if host != PUBLIC])

    monkeypatch.setattr(safe_fetch, "is_public", anything)
    assert on_the_web(visit) > 60


def test_a_name_that_changes_its_address_is_judged_again() -> None:
    async def visit(web: Web) -> None:
        web.names["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
        web["http://rebind.example/"] = said("<p>Hi</p>")
        web["http://twice.example/"] = moved("/again")
        web.names["twice.example"] = [[PUBLIC], ["127.0.0.1"]]
        async with Fetcher(lookup=web.lookup) as fetcher:
            assert (await fetcher.fetch("http://rebind.example/")).body == b"<p>Hi</p>"
            assert web.lookups == ["rebind.example"], "the address that is connected to is the one that was judged"
            with pytest.raises(Unfetchable, match="not on the public web"):
                await fetcher.fetch("http://rebind.example/")
            with pytest.raises(Unfetchable, match="not on the public web"):
                await fetcher.fetch("http://twice.example/")
        assert web.network.connections == [(PUBLIC, 80), (PUBLIC, 80)]

    on_the_web(visit)


def test_no_socket_is_made_for_an_address_that_was_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall, should a host ever be resolved behind the first one's back."""
    monkeypatch.setattr(safe_fetch._Gate, "judge", lambda self, ips, named: None)

    async def visit(web: Web) -> None:
        async with Fetcher(lookup=web.lookup) as fetcher:
            for url in ("http://127.0.0.1/", "http://[::1]/", "http://shop.example/"):
                with pytest.raises(Unfetchable):
                    await fetcher.fetch(url)
        assert web.network.connections == []

    on_the_web(visit)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")

    async def visit(web: Web) -> None:
        _prepare(web)
        async with Fetcher(lookup=web.lookup) as fetcher:
            await fetcher.fetch("http://shop.example/")
        assert web.network.connections == [(PUBLIC, 80)]
        assert ip_address(PUBLIC).is_global

    on_the_web(visit)
