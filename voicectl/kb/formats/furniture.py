"""What of a web page is not read: its furniture, and what its visitors do not see."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

STYLES = 50
RULES = 2000
"""How many style sheets of a page, and rules of each, are looked at."""

_TAGS = frozenset(
    "nav footer aside script style noscript template iframe object embed svg canvas audio video map dialog input "
    "select textarea option datalist meter progress head title s del strike".split()
)
_ROLES = frozenset("navigation contentinfo complementary search banner dialog alertdialog menu menubar".split())
_COOKIES = re.compile(
    r"(?:cookie|consent|gdpr|cmp)s?[-_]?(?:\w+[-_])?"
    r"(?:banner|bar|notice|consent|popup|modal|law|wall|overlay|message|sdk)|cookiebotdialog|onetrust",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0*(?:\.0+)?%?(?:;|!|$)"
    r"|font-size:(?:0*(?:\.0*)?(?:px|pt|r?em|%)?(?:;|!|$)|[01](?:\.\d+)?p[xt])|(?:^|;)color:transparent"
    r"|(?:left|right|top|text-indent|margin-left|margin-top):-\d{3,}|clip:rect\(0|clip-path:inset\((?:50|100)%"
)
_COLOUR = re.compile(r"(?:^|;)(color|background(?:-color)?):([^;!]+)")


class Furniture:
    """Knows what to pass over on one page, and remembers what was hidden there."""

    def __init__(self, page: LexborHTMLParser, structured: Collection[int]) -> None:
        self._unseen = _unseen_by_style(page)
        self._structured = structured
        self._hidden: list[str] = []

    def has(self, node: LexborNode, tag: str) -> bool:
        """Whether this element, with all in it, is passed over."""
        if tag in _TAGS:
            return True
        if tag == "sup":
            return node.css_first("a[href^='#']") is not None  # a footnote's mark
        marks = node.attributes
        if self._is_hidden(node, marks):
            if words := " ".join(node.text().split()):
                self._hidden.append(words[:60])
            return True
        if tag in ("body", "main"):
            return False
        if (marks.get("role") or "").lower() in _ROLES:
            return True
        if tag == "form":
            return node.mem_id not in self._structured  # some systems wrap the whole page in a form
        return bool(_COOKIES.search(f"{marks.get('id') or ''} {marks.get('class') or ''}"))

    def warnings(self) -> tuple[str, ...]:
        if not self._hidden:
            return ()
        places = f"{len(self._hidden)} places, the first" if len(self._hidden) > 1 else "one place that"
        return (f'left out what visitors do not see, in {places} begins "{self._hidden[0]}"',)

    def _is_hidden(self, node: LexborNode, marks: dict[str, str | None]) -> bool:
        if node.mem_id in self._unseen or "hidden" in marks or (marks.get("aria-hidden") or "").lower() == "true":
            return True
        style = _squeezed(marks.get("style") or "")
        if not style:
            return False
        colours = dict(_COLOUR.findall(style))
        ground = colours.get("background-color", colours.get("background"))
        return bool(_UNSEEN.search(style)) or (ground is not None and colours.get("color") == ground)


def _unseen_by_style(page: LexborHTMLParser) -> frozenset[int]:
    """What the page's own style sheets hide. Rules that hold only sometimes (@media, :hover) hide nothing."""
    found: set[int] = set()
    for style in page.css("style")[:STYLES]:
        for selector, body in _rules(style.text())[:RULES]:
            if ":" in selector or not _UNSEEN.search(_squeezed(body)):
                continue
            try:
                found |= {node.mem_id for node in page.css(selector)}
            except Exception:  # a selector that lexbor does not know; each kind has an exception of its own
                continue
    return frozenset(found)


def _rules(css: str) -> list[tuple[str, str]]:
    """Selector and body of the rules outside every @media."""
    css = re.sub(r"/\*.*?(?:\*/|\Z)", " ", css, flags=re.DOTALL)
    rules = []
    depth, start, selector = 0, 0, ""
    for match in re.finditer(r"[{};]", css):
        if match[0] == "{":
            depth += 1
            if depth == 1:
                selector, start = css[start : match.start()].strip(), match.end()
        elif match[0] == "}":
            depth = max(0, depth - 1)
            if depth == 0:
                if selector and not selector.startswith("@"):
                    rules.append((selector, css[start : match.start()]))
                start = match.end()
        elif depth == 0:
            start = match.end()
    return rules


def _squeezed(style: str) -> str:
    return re.sub(r"\s+", "", style).lower()
