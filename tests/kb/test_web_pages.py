from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from web_rig import Web, moved, on_the_web, said

from voicectl.errors import UsageError
from voicectl.kb.formats.text import decode
from voicectl.kb.web import (
    Unfetchable,
    WebDocument,
    WebFailure,
    WebLimits,
    WebListing,
    documents,
    is_web_address,
)
from voicectl.kb.web.safe_fetch import Fetcher
from voicectl.kb.web.sitemaps import Listing, read_listing, unpacked

SHOP = "http://shop.example"
SITEMAP = f"{SHOP}/sitemap.xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*addresses: str, more: str = "") -> str:
    entries = "".join(f"<url><loc> {each} </loc><lastmod>2026-01-01</lastmod></url>" for each in addresses)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{NAMESPACE}">{entries}{more}</urlset>'


def index(*addresses: str) -> str:
    entries = "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in addresses)
    return f'<sitemapindex xmlns="{NAMESPACE}">{entries}</sitemapindex>'


Found = list[WebDocument | WebFailure | WebListing]


async def found(web: Web, *addresses: str, limits: WebLimits = WebLimits(), own: Sequence[str] = ()) -> Found:
    async with Fetcher(lookup=web.lookup, limits=limits, allow_hosts=own) as fetcher:
        return [each async for each in documents(addresses, limits=limits, fetcher=fetcher)]


def sources(items: Found) -> list[str]:
    return [each.source for each in items if isinstance(each, WebDocument)]


def failures(items: Found) -> dict[str, str]:
    return {each.source: each.reason for each in items if isinstance(each, WebFailure)}


def listing(items: Found) -> WebListing:
    (one,) = [each for each in items if isinstance(each, WebListing)]
    return one


def shop(web: Web, pages: int) -> list[str]:
    """A shop with so many pages, and a sitemap of them."""
    addresses = [f"{SHOP}/{number}" for number in range(pages)]
    for each in addresses:
        web[each] = said(f"<p>{each}</p>")
    web[SITEMAP] = said(urlset(*addresses), "application/xml")
    return addresses


# --- pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("", "text/html", "shop.example.html"),
        ("help/opening-hours", "text/html", "opening-hours.html"),
        ("help/returns/", "text/html", "returns.html"),
        ("index.php?page=3", "text/html", "index.html"),
        ("page.xhtml", "application/xhtml+xml", "page.html"),
        ("page", "application/xml", "page.html"),
        ("prices.csv", "text/csv; charset=utf-8", "prices.csv"),
        ("export.aspx", "application/csv", "export.csv"),
        ("prices.csv", "application/octet-stream", "prices.csv"),
        ("README.md", "text/plain", "README.md"),
        ("readme", "text/markdown", "readme.md"),
        ("notes", "text/plain", "notes.txt"),
        ("menu.pdf", "application/pdf", "menu.pdf"),
        ("f%C3%BCr%20dich%2Fall.html", "text/html", "für dich all.html"),
        ("terms", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "terms.docx"),
    ],
)
def test_a_page_is_like_a_file(path: str, kind: str, name: str) -> None:
    async def visit(web: Web) -> None:
        web[f"{SHOP}/{path}"] = said("<html>We are open", kind)
        assert await found(web, f"{SHOP}/{path}#top") == [WebDocument(f"{SHOP}/{path}", name, b"<html>We are open")]

    on_the_web(visit)


def test_one_failure_stops_nothing() -> None:
    async def visit(web: Web) -> None:
        web[f"{SHOP}/a"] = said("<p>A</p>")
        web[f"{SHOP}/b"] = moved(f"{SHOP}/a")
        web[f"{SHOP}/feed"] = said("<rss version='2.0'/>", "application/xml")
        web[f"{SHOP}/z"] = said("<p>Z</p>")
        items = await found(
            web,
            f"{SHOP}/a",
            "http://127.0.0.1/",
            f"{SHOP}/gone",
            "nonsense://",
            f"{SHOP}/b",
            f"{SHOP}/feed",
            f"{SHOP}/z",
            f"{SHOP}/a#again",
        )
        assert sources(items) == [f"{SHOP}/a", f"{SHOP}/z"], "b is a, and a was given twice"
        assert list(failures(items)) == ["nonsense://", "http://127.0.0.1/", f"{SHOP}/gone", f"{SHOP}/feed"]
        assert web.paths.count("a") == 2

    on_the_web(visit)


@pytest.mark.parametrize(
    ("charset", "body", "read"),
    [
        ("iso-8859-1", "Café €".encode("cp1252"), "Café €"),
        ("ISO-8859-1", "Café".encode(), "Café"),
        ("shift_jis", "営業時間".encode("shift_jis"), "営業時間"),
        ("iso-2022-jp", "営業時間".encode("iso-2022-jp"), "営業時間"),
        ("utf-16", "Hours".encode("utf-16"), "Hours"),
        ("utf-8", "Café".encode(), "Café"),
        ("", "Café".encode(), "Café"),
        ("idna", b"xn--caf-dma", "xn--caf-dma"),
        ("punycode", b"caf-dma", "caf-dma"),
        ("iso-9999-1", b"Cafe", "Cafe"),
        ('"><script>', b"Cafe", "Cafe"),
    ],
)
def test_the_servers_charset_reaches_the_reader(charset: str, body: bytes, read: str) -> None:
    async def visit(web: Web) -> None:
        web[f"{SHOP}/"] = said(body, f"text/plain; charset={charset}")
        (document,) = await found(web, SHOP)
        assert isinstance(document, WebDocument)
        assert decode(document.data) == (read, ())

    on_the_web(visit)


def test_addresses_are_told_from_paths() -> None:
    assert is_web_address("https://shop.example")
    assert is_web_address("FTP://shop.example")
    assert not is_web_address("knowledge/http.md")
    assert not is_web_address("shop.example")


def test_a_host_that_is_none_is_a_usage_error() -> None:
    async def visit(web: Web) -> None:
        with pytest.raises(UsageError):
            async for _ in documents([SHOP], allow_hosts=["no host"]):
                pass

    on_the_web(visit)


# --- lists -------------------------------------------------------------------------------------------------


def test_a_sitemap_gives_its_pages_in_order() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 12)

        async def slow(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3)
            writer.write(said("<p>slow</p>"))

        web[pages[0]] = slow
        del web.pages[pages[5]]
        items = await found(web, SITEMAP)
        assert items[0] == WebListing(SITEMAP, frozenset(pages), True, "shop.example/")
        assert [each.source for each in items[1:]] == pages
        assert failures(items) == {pages[5]: "its server has no such page (404)"}

    on_the_web(visit)


def test_a_packed_sitemap_of_sitemaps_is_followed() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 4)
        web[f"{SHOP}/index.xml.gz"] = said(
            gzip.compress(index(f"{SHOP}/one.xml.gz", f"{SHOP}/two.xml", f"{SHOP}/one.xml.gz").encode()),
            "application/octet-stream",
        )
        web[f"{SHOP}/one.xml.gz"] = said(gzip.compress(urlset(*pages[:2]).encode()), "application/gzip")
        web[f"{SHOP}/two.xml"] = said(urlset(*pages[1:]), "text/xml")
        items = await found(web, f"{SHOP}/index.xml.gz")
        assert sources(items) == pages
        assert listing(items).complete
        assert web.paths.count("one.xml.gz") == 1

    on_the_web(visit)


def test_a_text_of_addresses_is_a_list() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 3)
        web[f"{SHOP}/list.txt"] = said("\ufeff# our pages\r\n\r\n" + "\r\n".join(pages), "text/plain")
        web[f"{SHOP}/prose.txt"] = said(f"{pages[0]}\nis our first page.", "text/plain")
        items = await found(web, f"{SHOP}/list.txt", f"{SHOP}/prose.txt")
        assert sources(items) == [*pages, f"{SHOP}/prose.txt"]
        assert listing(items).gone([f"{SHOP}/old"]) == []

    on_the_web(visit)


def test_a_list_speaks_for_its_own_site() -> None:
    async def visit(web: Web) -> None:
        inside = [
            "http://www.shop.example/a",
            "https://shop.example/",
            "http://help.shop.example/b",
            "http://shop.example/c",
        ]
        outside = [
            "http://elsewhere.example/",
            "http://evilshop.example/",
            "http://shop.example.evil/",
            "not an address",
        ]
        for each in (inside[0], inside[2]):
            web[each] = said(f"<p>{each}</p>")
        web[inside[3]] = moved("http://elsewhere.example/login")
        web["http://elsewhere.example/login"] = said("<p>Log in</p>")
        web["http://www.shop.example/sitemap.xml"] = said(urlset(*inside, *outside), "text/xml")
        items = await found(web, "http://www.shop.example/sitemap.xml")
        assert sources(items) == [inside[0], inside[2]]
        assert failures(items)[inside[3]] == "it leads to another site"
        assert "4 of the addresses" in failures(items)["http://www.shop.example/sitemap.xml"]
        assert not {"http://elsewhere.example/", "http://evilshop.example/"} & {each[4:] for each in web.requests}

    on_the_web(visit)


def test_a_public_list_does_not_lead_into_an_own_network() -> None:
    async def visit(web: Web) -> None:
        web.names["wiki.shop.example"] = [["10.0.0.5"]]
        web["http://wiki.shop.example/secret"] = said("<p>secret</p>")
        web[SITEMAP] = said(urlset("http://wiki.shop.example/secret"), "text/xml")
        web["http://wiki.shop.example/sitemap.xml"] = web.pages[SITEMAP]
        assert sources(await found(web, SITEMAP)) == []
        assert sources(await found(web, SITEMAP, own=["wiki.shop.example"])) == []
        assert "GET http://wiki.shop.example/secret" not in web.requests
        own = await found(web, "http://wiki.shop.example/sitemap.xml", own=["wiki.shop.example"])
        assert sources(own) == ["http://wiki.shop.example/secret"]

    on_the_web(visit)


def test_what_a_sitemap_no_longer_lists_is_gone() -> None:
    both = frozenset({f"{SHOP}/help/a", f"{SHOP}/help/b"})
    stored = [
        f"{SHOP}/help/a",
        f"{SHOP}/help/old",
        "https://shop.example/help/old",
        f"{SHOP}/news",
        "shop.example/help/x.md",
    ]
    of_help = WebListing(f"{SHOP}/help/sitemap.xml", both, True, "shop.example/help/")
    assert of_help.gone(stored) == [f"{SHOP}/help/old", "https://shop.example/help/old"]
    assert WebListing(of_help.source, both, False, of_help.folder).gone(stored) == []
    assert WebListing(of_help.source, both, True, "").gone(stored) == []


@pytest.mark.parametrize("what", ["broken", "missing", "elsewhere", "page"])
def test_a_sitemap_with_a_part_missing_takes_nothing_away(what: str) -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 2)
        part = f"{SHOP}/part.xml" if what != "elsewhere" else "http://elsewhere.example/part.xml"
        web[f"{SHOP}/index.xml"] = said(index(part, SITEMAP), "text/xml")
        if what == "broken":
            web[part] = said(urlset(f"{SHOP}/x")[:-20], "text/xml")
        elif what == "page":
            web[part] = said("<html>Sorry!")
        items = await found(web, f"{SHOP}/index.xml")
        assert sources(items) == pages
        assert len(failures(items)) == 1
        assert not listing(items).complete

    on_the_web(visit)


def test_bounds_of_a_list() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 9)
        items = await found(web, SITEMAP, limits=WebLimits(pages=9))
        assert sources(items) == pages and listing(items).complete
        items = await found(web, SITEMAP, limits=WebLimits(pages=8))
        assert sources(items) == pages[:8]
        assert "more than 8 pages" in failures(items)[SITEMAP]
        assert not listing(items).complete

        web[f"{SHOP}/mixed.xml"] = said(urlset("http://elsewhere.example/", *pages), "text/xml")
        assert not listing(await found(web, f"{SHOP}/mixed.xml", limits=WebLimits(pages=8))).complete
        web[f"{SHOP}/empty.xml"] = said(urlset(), "text/xml")
        items = await found(web, f"{SHOP}/empty.xml")
        assert failures(items) == {f"{SHOP}/empty.xml": "it lists no pages"}
        assert listing(items).gone([pages[0]]) == []

        for number in range(8):  # each an index of the next
            web[f"{SHOP}/deep/{number}"] = said(index(f"{SHOP}/deep/{number + 1}"), "text/xml")
        web.requests.clear()
        items = await found(web, f"{SHOP}/deep/0")
        assert [path for path in web.paths if "deep" in path] == ["deep/0", "deep/1", "deep/2"]
        assert not listing(items).complete

        web[f"{SHOP}/circle"] = said(index(f"{SHOP}/circle", SITEMAP), "text/xml")
        assert sources(await found(web, f"{SHOP}/circle")) == pages

        web[f"{SHOP}/wide"] = said(index(*(f"{SHOP}/wide/{number}" for number in range(20))), "text/xml")
        for number in range(20):
            web[f"{SHOP}/wide/{number}"] = said(urlset(pages[0]), "text/xml")
        web.requests.clear()
        items = await found(web, f"{SHOP}/wide", limits=WebLimits(sitemaps=5))
        assert len([path for path in web.paths if path.startswith("wide/")]) == 5
        assert not listing(items).complete

    on_the_web(visit)


def test_four_pages_are_fetched_at_a_time() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 300)

        async def serve(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.1)
            writer.write(said(f"<p>{web.requests[-1]}</p>"))

        for each in pages:
            web[each] = serve
        assert sources(await found(web, SITEMAP, *pages[:7])) == [*pages[7:], *pages[:7]]
        assert web.most_busy == 4

    on_the_web(visit)


def test_who_stops_listening_leaves_nothing_running() -> None:
    async def visit(web: Web) -> None:
        shop(web, 50)
        async with Fetcher(lookup=web.lookup) as fetcher, aclosing(documents([SITEMAP], fetcher=fetcher)) as items:
            async for each in items:
                if isinstance(each, WebDocument):
                    break
        assert len(web.requests) < 10
        assert len(asyncio.all_tasks()) <= 1 + web.busy

    on_the_web(visit)


# --- manners -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ("User-agent: *\nDisallow: /1\n", "02"),
        ("User-agent: *\nDisallow: /\n", ""),
        ("User-agent: *\nDisallow: /\nUser-agent: voicectl\nDisallow: /2\n", "01"),
        ("User-agent: otherbot\nDisallow: /\n", "012"),
        ("\ufeffUser-agent: VoiceCtl\nDisallow: /0\n", "12"),
        ("<html>Not a robots.txt</html>", "012"),
        ("User-agent: *\nDisallow: http://[/\n", ""),
        ("User-agent: *\nCrawl-delay: ²\nDisallow: /1", ""),
        (None, "012"),
    ],
)
def test_robots_txt_is_honoured_for_what_a_list_leads_to(robots: str | None, allowed: str) -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 3)
        if robots is not None:
            web[f"{SHOP}/robots.txt"] = said(robots, "text/plain")
        items = await found(web, SITEMAP)
        assert sources(items) == [f"{SHOP}/{each}" for each in allowed]
        assert web.paths.count("robots.txt") == 1
        assert all("robots.txt" in why for why in failures(items).values())
        assert sources(await found(web, *pages)) == pages, "what an owner asks for by hand is their business"

    on_the_web(visit)


def test_a_site_that_cannot_say_what_it_allows_is_left_alone() -> None:
    async def visit(web: Web) -> None:
        shop(web, 20)
        web[f"{SHOP}/robots.txt"] = said("", status="503 Busy")
        items = await found(web, SITEMAP)
        assert sources(items) == []
        assert len(failures(items)) == 20
        assert set(web.paths) == {"sitemap.xml", "robots.txt"}
        assert web.paths.count("robots.txt") == 5

    on_the_web(visit)


@pytest.mark.parametrize(("asked", "seconds"), [("2", 2), ("86400", 5), ("9" * 400, 5), ("1.5", 0), ("", 0)])
def test_pages_come_at_the_pace_the_site_asks_for(asked: str, seconds: float) -> None:
    async def visit(web: Web) -> None:
        shop(web, 6)
        web[f"{SHOP}/robots.txt"] = said(f"User-agent: *\nCrawl-delay: {asked}\n", "text/plain")
        began = asyncio.get_running_loop().time()
        assert len(sources(await found(web, SITEMAP))) == 6
        assert asyncio.get_running_loop().time() - began == pytest.approx(5 * seconds, abs=0.5)

    on_the_web(visit)


def test_a_server_that_stops_answering_is_not_asked_for_ever() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 100)
        help_pages = [f"http://help.shop.example/{number}" for number in range(3)]
        web[SITEMAP] = said(urlset(*pages, *help_pages), "text/xml")

        async def silent(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(60)

        for each in pages[10:]:
            web[each] = silent
        for each in help_pages:
            web[each] = said(f"<p>{each}</p>")
        began = asyncio.get_running_loop().time()
        items = await found(web, SITEMAP)
        assert sources(items) == [*pages[:10], *help_pages]
        assert len(failures(items)) == 90
        assert failures(items)[pages[99]] == "its server has stopped answering"
        assert asyncio.get_running_loop().time() - began < 100

    on_the_web(visit)


def test_a_slow_page_now_and_then_is_no_silence() -> None:
    async def visit(web: Web) -> None:
        pages = shop(web, 40)
        for each in pages[::2]:
            web[each] = said("", status="500 Oops")
        assert sources(await found(web, SITEMAP, limits=WebLimits(in_flight=1))) == pages[1::2]

    on_the_web(visit)


# --- reading lists -----------------------------------------------------------------------------------------

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<urlset><url><loc>http://shop.example/&b;</loc></url></urlset>"
)
OUTSIDE = (
    '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    "<urlset><url><loc>http://shop.example/&x;</loc></url></urlset>"
)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (urlset(f"{SHOP}/a", f"{SHOP}/b?x=1&amp;y=2"), (f"{SHOP}/a", f"{SHOP}/b?x=1&y=2")),
        (f"<urlset><url><loc>{SHOP}/<![CDATA[a&b]]></loc></url></urlset>", (f"{SHOP}/a&b",)),
        (f"<s:urlset xmlns:s='{NAMESPACE}'><s:url><s:loc>{SHOP}/</s:loc></s:url></s:urlset>", (f"{SHOP}/",)),
        (
            urlset(
                more="<url><image:image xmlns:image='i'><image:loc>http://x/i.png</image:loc></image:image>"
                f"<image:loc xmlns:image='i'>http://x/j.png</image:loc><loc>{SHOP}/c</loc></url>"
            ),
            (f"{SHOP}/c",),
        ),
        (f"<?xml version='1.0' encoding='iso-8859-1'?><!-- x --><urlset><loc>{SHOP}/</loc></urlset>", ()),
        (urlset(), ()),
    ],
)
def test_a_sitemap_is_read(text: str, addresses: tuple[str, ...]) -> None:
    assert read_listing(text.encode(), 100) == Listing(addresses)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        ("<!DOCTYPE urlset SYSTEM 'http://127.0.0.1/x.dtd'><urlset/>", "document type"),
        ("<urlset><url><loc>http://shop.example/&x;</loc></url></urlset>", "not well-formed"),
        ("<urlset><url>", "not well-formed"),
        ("<urlset a='1' a='1'/>", "not well-formed"),
        ("<?xml version='1.0' encoding='nonsense'?><urlset/>", "not well-formed"),
        ("<?xml version='1.0' encoding='punycode'?><urlset/>", "not well-formed"),
        ("<urlset>" + "<a>" * 200_000, "not well-formed"),
    ],
)
def test_a_dangerous_or_broken_sitemap_is_not(text: str, reason: str) -> None:
    with pytest.raises(Unfetchable, match=reason):
        read_listing(text.encode(), 100)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# no addresses\n",
        b"http://shop.example/ and more",
        b"<html><urlsets>",
        b"http\xff",
        b"%PDF-1.7",
        b"We are open.",
    ],
)
def test_other_things_are_no_lists(data: bytes) -> None:
    assert read_listing(data, 100) is None


def test_a_list_is_read_as_far_as_it_is_wanted() -> None:
    many = [f"{SHOP}/{number}" for number in range(50)]
    assert read_listing(urlset(*many).encode(), 7) == Listing(tuple(many[:7]))
    assert read_listing("\n".join(many).encode(), 7) == Listing(tuple(many[:7]), plain=True)
    (long,) = (read_listing(urlset(f"{SHOP}/" + "a" * 100_000).encode(), 7) or Listing(())).addresses
    assert len(long) < 3000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(bytes(50_000_000)), "larger than 1 MB"),
        (gzip.compress(b"Hi") + gzip.compress(bytes(50_000_000)), "larger than 1 MB"),
        (gzip.compress(b"Hi")[:-3], "broken"),
        (b"\x1f\x8b", "broken"),
        (b"\x1f\x8bnonsense", "broken"),
        (gzip.compress(b"Hi") + b"tail", "broken"),
    ],
)
def test_packed_bombs_and_broken_packs(data: bytes, reason: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Unfetchable, match=reason):
            unpacked(data, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
