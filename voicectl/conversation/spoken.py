"""Model text made fit for a voice, while it streams.

Theory of operation
- Text waits in one buffer, `_held`. A scanner takes things from its front: a word, a mark, a link's target, a tag. It
  takes one only when no text still to come could change how it is treated; until then it waits. So what is said
  depends on the text alone and never on how the model cut it into tokens.
- Little has to wait. Emphasis, brackets and backticks are dropped where they stand, so the words inside them leave at
  once; only what must not be said is held: a link's target, a tag, an entity, the marks at the start of a line, and
  letters that may turn out to be "https://" or "www.". What is not complete after `_LIMIT` characters is no construct:
  its first character is dropped and the rest is text. URLs and code are discarded as they come.
- Between two words stands a gap, said once, in front of the next word: nothing, a blank, or a blank with a comma or
  full stop where a list item, row, heading or paragraph ended without one, so that the voice pauses. A line that just
  ends pauses if the next one begins like a sentence. So what is removed leaves no doubled blanks behind.
- Removing can bring together what must not be said (`htt**p://`). `_tail` is what was said last; where the next piece
  would complete a URL or an entity, a blank keeps the two apart.

What comes out, whatever went in: no control, format or private-use character and no surrogate; no emoji; no newline and
no doubled blank; none of ``* ` [ ] | < >``, `_` only inside a word; no `://`, no `www.` at the start of a word, no
entity. Letters, digits, single blanks and `,.?!'` come out as they went in, but for "www.".

ConversationRelay: `<` in a token may be read as SSML, so none is ever sent.
"""

from __future__ import annotations

import html
import html.entities
import re

from voicectl.conversation import markup
from voicectl.conversation.markup import Construct
from voicectl.conversation.words import is_unspaced

_LIMIT = 300
"""Characters; a construct longer than this is text."""
_SLICE = 256
"""Text is scanned in pieces of this size, which keeps the buffer, and with it every step, small."""
_TAIL = 40
"""Characters of the said text that are remembered: the longest entity and some."""

# What lies between the last word said and the next one, weakest first.
_NOTHING, _SOFT, _BLANK, _LINE, _COMMA, _STOP = range(6)
# What kind of line this is.
_TEXT, _ITEM, _ROW, _HEADING = range(4)

_LINE_STARTS = (
    (markup.RULER, _STOP, _TEXT),
    (markup.ITEM, _STOP, _ITEM),
    (markup.HEADING, _STOP, _HEADING),
    (markup.ROW, _STOP, _ROW),
    (markup.QUOTE, _NOTHING, _TEXT),
)
_TAG_GAPS = {
    **dict.fromkeys(("br", "break", "li", "td", "th"), _COMMA),
    **dict.fromkeys(("p", "div", "tr", "ul", "ol", "table", "hr", "h1", "h2", "h3", "h4", "h5", "h6"), _STOP),
}
_UNSPOKEN = frozenset(("script", "style", "think", "thinking"))
"""Elements whose content is not for the caller; small models write their reasoning into the reply as <think>."""
_PROSE = frozenset(("", "text", "txt", "plain", "plaintext", "markdown", "md"))
"""Languages of a code fence whose content is said."""
_COMPARED = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}

_PAUSES = ".,;:!?…-–—。！？、，：；،؛؟।"
_CLOSERS = "\"')]}”’」』）】»"
_OPENERS = "([{\"'“‘「『（【«"
_BEHIND_A_WORD = ".,;:!?…)”’。！？、，"

_is_plain = markup.PLAIN_TOKEN.fullmatch


class _Undecided(Exception):
    """What stands at the front of the buffer depends on text still to come."""


class SpokenText:
    """Streamed model text in, speakable text out."""

    def __init__(self) -> None:
        self._held = ""
        self._before = ""  # the character in front of `_held`; "" at the very start
        self._tail = ""
        self._gap = _NOTHING
        self._joint = ""  # underscores, said if a word goes on behind them
        self._line = _TEXT
        self._fresh = True  # nothing of this line has been said
        self._later_line = False
        self._listed = False  # the line before this one was a list item
        self._number = 0  # of the latest numbered item
        self._in_url = False
        self._until: re.Pattern[str] | None = None  # ends what is not for the caller
        self._final = False
        self._plain = False  # a plain token may leave as it is
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """What can be said now that `text` has come; may be ""."""
        if self._plain and _is_plain(text):
            self._tail = (self._tail + text)[-_TAIL:]
            self._before = text[-1]
            return text
        for start in range(0, len(text), _SLICE):
            self._held += markup.UNSEEN_RUN.sub("", text[start : start + _SLICE])
            self._scan()
        between = self._held or self._gap or self._joint or self._fresh or self._until
        self._plain = not (between or self._tail[-3:].lower() == "www")
        return self._taken()

    def finish(self) -> str:
        """What was held back. The stream is over; the object is not used again."""
        self._final = True
        self._scan()
        if self._gap == _BLANK and self._tail.strip() and self._before.isspace():
            self._out.append(" ")
        return self._taken()

    def _taken(self) -> str:
        said = "".join(self._out)
        self._out.clear()
        return said

    # --- the scanner ---------------------------------------------------------------------------------------

    def _scan(self) -> None:
        at = 0
        try:
            while at < len(self._held):
                end = self._step(at)
                if end > at:
                    self._before = self._held[end - 1]
                at = end
        except _Undecided:
            pass
        self._held = self._held[at:]

    def _step(self, at: int) -> int:
        """Take what stands at `at`; returns where to go on. Raises _Undecided before anything has changed."""
        if self._until:
            return self._skip(self._until, at)
        if self._in_url:
            return self._leave_url(at)
        char = self._held[at]
        if char.isspace():
            self._space(char)
            return at + 1
        if self._fresh and (end := self._start_of_line(at)):
            return end
        if word := markup.WORD.match(self._held, at):
            if not markup.WORD.match(self._before) and (url := self._match(markup.URL, at)):
                return self._enter_url(url.end())
            self._say(word[0])
            return word.end()
        if other := markup.OTHER_RUN.match(self._held, at):
            self._say(other[0])
            return other.end()
        return self._mark(char, at)

    def _match(self, construct: Construct, at: int) -> re.Match[str] | None:
        if not self._final and len(self._held) - at < _LIMIT and construct.part.fullmatch(self._held, at):
            raise _Undecided
        return construct.whole.match(self._held, at, at + _LIMIT)

    def _next(self, at: int) -> str:
        """The character behind the one at `at`; "" at the end of the text."""
        if at + 1 == len(self._held) and not self._final:
            raise _Undecided
        return self._held[at + 1 : at + 2]

    def _replace(self, at: int, end: int, text: str) -> int:
        """Put `text` into the place of what stands between `at` and `end`, to be scanned in its turn."""
        self._held = self._held[:at] + text + self._held[end:]
        return at

    def _space(self, char: str) -> None:
        if char not in markup.BREAKS:
            if self._before:
                self._widen(_BLANK)
            else:
                self._tail = " "
                self._out.append(" ")
        elif char != "\n" or self._before != "\r":
            if not self._fresh:
                self._listed = self._line == _ITEM
            self._widen(_STOP if self._fresh or self._line != _TEXT else _LINE)
            self._line, self._fresh, self._later_line = _TEXT, True, True

    def _start_of_line(self, at: int) -> int:
        """Take what is markup only here. Behind it, and behind emphasis, the line still starts. 0: there is none."""
        for construct, gap, line in _LINE_STARTS:
            if mark := self._match(construct, at):
                self._begin(gap, line)
                return mark.end()
        # A reply may begin with a number that is the answer ("12. We also have ..."), and so may a line: only a
        # number that counts on is numbering.
        if self._later_line and (number := self._match(markup.NUMBER, at)):
            count = int(number[1].rstrip(".)"))
            self._begin(_STOP, _ITEM)
            if count in (1, self._number + 1):
                self._number = count
            else:
                self._say(number[1])
            return number.end()
        return 0

    def _begin(self, gap: int, line: int) -> None:
        if line == _ITEM:
            self._gap = _COMMA if self._listed else _STOP
        else:
            self._widen(gap)
            self._listed = False
        self._line = line

    def _mark(self, char: str, at: int) -> int:
        """Take one of MARKS, BULLETS_AND_ARROWS or EMOJI."""
        before = self._before
        match char:
            case "*":
                return self._star(at)
            case "`" | "~":
                return self._tick(char, at)
            case "<" | ">":
                return self._angle(char, at)
            case "&":
                return self._ampersand(at)
            case "_":
                if self._gap == _NOTHING and (before.isalnum() or self._joint):
                    self._joint = (self._joint + char)[:_TAIL]
            case "[":
                if cited := self._match(markup.CITATION, at):
                    self._remove()
                    return cited.end()
                if before == "]":
                    self._widen(_SOFT)
            case "]":
                if link := self._match(markup.LINK, at):
                    target = link[1].split()
                    if len(target) < 2 or target[1][0] in "\"'":
                        return link.end()
                    self._widen(_SOFT)
            case "|":
                self._widen(_COMMA)
                self._line = self._line or _ROW
            case "\\":
                after = self._next(at)
                if after.isascii() and not after.isalnum():
                    return self._replace(at, at + 1, "")
                self._say(char)
            case "/":
                if before == ":" and self._next(at) == "/":
                    return self._enter_url(at + 2)
                self._say(char)
            case "#":
                closing = self._line == _HEADING and before in " \t#" and not self._next(at).strip().strip("#")
                if not closing:
                    self._say(char)
            case "!":
                opening = before in ("", "(", "[") or before.isspace()
                if not (opening and self._next(at) == "["):
                    self._say(char)
            case markup.KEYCAP:
                pass
            case _ if markup.BULLET_OR_ARROW.match(char):
                self._widen(_COMMA)
            case _:
                self._remove()
        return at + 1

    def _star(self, at: int) -> int:
        run = self._match(markup.STARS, at)
        assert run
        before, after = self._before, self._held[run.end() : run.end() + 1]
        opening = not before.strip() or before == "("
        quoted = before in ('"', "'", "“", "‘") and after in ('"', "'", "”", "’")
        if len(run[0]) > 1:
            pass
        elif after == markup.KEYCAP or quoted:
            self._words("star")
        elif before.isdigit() and after.isdigit():
            self._words("times")
        elif opening and (not after.strip() or after in ",.;:!?)"):
            self._words("times" if after and self._tail[-1:].isdigit() else "star")
        elif opening and after.isdigit() and not self._match(markup.EMPHASIS, at):
            self._words("star")
        return run.end()

    def _tick(self, char: str, at: int) -> int:
        fence = self._match(markup.FENCE, at)
        if fence and (self._fresh or fence.end() < len(self._held)):
            self._widen(_STOP)
            if fence[1].lower() not in _PROSE:
                self._until = re.compile(char * 3)
            return fence.end()
        if char == "~" and self._before != "~":
            after = self._next(at)
            if after.isdigit() and not self._before.isalnum():
                self._words("about")
            elif after != "~":
                self._say(char)
        return at + 1

    def _angle(self, char: str, at: int) -> int:
        if char == ">" and self._before in ("-", "="):
            self._widen(_COMMA)
            return at + 1
        if address := self._match(markup.AUTOLINK, at):
            return self._replace(at, address.end(), address[1])
        if tag := self._match(markup.TAG, at):
            name = (tag[2] or "").lower()
            self._widen(_TAG_GAPS.get(name, _NOTHING))
            if name in _UNSPOKEN and not tag[1]:
                self._until = re.compile(f"</{name}>", re.IGNORECASE)
            return tag.end()
        if compared := self._match(markup.COMPARISON, at):
            self._words(_COMPARED[compared[0]])
            return compared.end()
        return at + 1

    def _ampersand(self, at: int) -> int:
        if entity := self._match(markup.ENTITY, at):
            name = entity[0][1:]
            decoded = html.unescape(entity[0]) if name[0] == "#" else html.entities.html5.get(name)
            if decoded is not None:
                return self._replace(at, entity.end(), markup.UNSEEN_RUN.sub("", decoded))
        self._say("&")
        return at + 1

    def _enter_url(self, at: int) -> int:
        self._words("the link")
        self._in_url = True
        return at

    def _leave_url(self, at: int) -> int:
        """Discard a URL up to the punctuation behind it."""
        body = markup.URL_BODY.match(self._held, at)
        assert body
        if body.end() == at:
            if not self._final and markup.URL_TRAIL.fullmatch(self._held, at):
                raise _Undecided
            self._in_url = False
        return body.end()

    def _skip(self, until: re.Pattern[str], at: int) -> int:
        """Discard what is not for the caller, up to the mark that ends it."""
        if found := until.search(self._held, at):
            self._until = None
            return found.end()
        end = len(self._held) if self._final else len(self._held) - 12  # which is longer than any such mark
        if end <= at:
            raise _Undecided
        return end

    # --- the voice -----------------------------------------------------------------------------------------

    def _widen(self, gap: int) -> None:
        self._gap = max(self._gap, gap)

    def _remove(self) -> None:
        """Something that stood between words goes, and with it a blank that would end up in front of punctuation."""
        if self._gap <= _BLANK:
            self._gap = _SOFT

    def _words(self, text: str) -> None:
        """Say words that stand for a symbol."""
        self._widen(_SOFT)
        self._say(text)
        self._gap = _SOFT

    def _say(self, piece: str) -> None:
        said = self._lead(piece[0]) + piece
        self._out.append(said)
        self._tail = (self._tail + said)[-_TAIL:]
        self._gap, self._joint, self._fresh = _NOTHING, "", False

    def _lead(self, first: str) -> str:
        """What the gap sounds like in front of `first`."""
        if not self._tail.strip():
            return ""
        if self._joint and self._gap == _NOTHING and first.isalnum():
            return self._joint
        apart = (first.isalnum() or first in "$€£¥#@&+([{“‘") and self._tail[-1] not in _OPENERS
        if self._gap == _BLANK or (self._gap == _SOFT and apart):
            return " "
        if self._gap <= _SOFT or first in _BEHIND_A_WORD:
            return " " if markup.UNSAYABLE.search(self._tail + first) else ""
        last = self._tail.rstrip(_CLOSERS)[-1:]
        goes_on = self._gap == _LINE and not (first.isupper() or first.isdigit() or is_unspaced(first))
        if goes_on or not last.strip() or last in _PAUSES or markup.UNSAYABLE.search(self._tail + "."):
            return " "
        if is_unspaced(last):
            return "。" if self._gap == _STOP else "、"
        return ". " if self._gap == _STOP else ", "


def speakable(text: str) -> str:
    """The whole of `text` as a voice should say it."""
    spoken = SpokenText()
    return spoken.feed(text) + spoken.finish()
