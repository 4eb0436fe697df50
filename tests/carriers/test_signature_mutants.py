"""Mutants of signed requests: none is accepted with a field we use changed, added or gone.

The attacker holds a signed request, knows how signatures are made, and has no token.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote, quote_from_bytes

import pytest
from signed_requests import FORM, PATH, PUBLIC, TOKEN, USED, Pairs, Request, encoded, samples

from voicectl.carriers.signature import SignatureCheck, SignatureError, sign

MUTANTS = 100_000 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 10_000
CHECK = SignatureCheck(PUBLIC, [TOKEN])


def accepted(request: Request, body: bytes, *, path: str = PATH, query: bytes = b"", header: str | None = None) -> bool:
    """Whether it is let in; fails the test when it is let in as another request."""
    try:
        form = CHECK.webhook(path, query, body, FORM, request.header if header is None else header)
    except SignatureError as refused:
        assert refused.status in (400, 403, 413, 415)
        return False
    assert {name: value for name, value in form.items() if name in USED} == request.used, body
    assert (path, query) == (PATH, b"")
    return True


def borders_moved(pairs: Pairs) -> Iterator[Pairs]:
    """Every way to read the signed letters with one border moved, or with one border more or less."""
    ordered = sorted(pairs)
    for at, (name, value) in enumerate(ordered):
        before, after = ordered[:at], ordered[at + 1 :]
        letters = name + value
        for cut in range(1, len(letters) + 1):
            yield [*before, (letters[:cut], letters[cut:]), *after]
        if after:
            (next_name, next_value), *rest = after
            run = letters + next_name + next_value
            for cut in range(len(name) + 1, len(run)):  # the border between the two parameters
                for end in {cut + 1, cut + len(next_name), len(run)}:
                    if cut < end <= len(run):
                        yield [*before, (name, run[len(name) : cut]), (run[cut:end], run[end:]), *rest]
            yield [*before, (name, run[len(name) :]), *rest]  # merged
            if rest:
                yield [*before, (name, run[len(name) :] + "".join(rest[0])), *rest[1:]]
        for cut in range(len(name) + 1, len(letters)):  # one made two
            end = min(cut + 3, len(letters))
            yield [*before, (name, letters[len(name) : cut]), (letters[cut:end], letters[end:]), *after]


@pytest.mark.parametrize("number", range(13))
def test_no_border_can_be_moved(number: int) -> None:
    request = samples()[number]
    read_alike = 0
    for pairs in borders_moved(request.pairs):
        if sign(TOKEN, request.url, dict(pairs)) == request.header and len(dict(pairs)) == len(pairs):
            read_alike += 1
            accepted(request, encoded(pairs))
    assert read_alike > 100  # the signature alone lets these in


class Mutator:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.kinds = [
            *[self.border, self.border, self.merged, self.merged, self.doubled, self.address, self.other_url],
            *[self.bytes_changed, self.field_changed, self.dropped, self.re_encoded, self.header, self.separators],
        ]

    def run(self, request: Request) -> tuple[str, bool]:
        kind = self.dice.choice(self.kinds)
        return kind.__name__, kind(request)

    def border(self, request: Request) -> bool:
        pairs = sorted(request.pairs)
        for _ in range(self.dice.choice((1, 1, 2))):
            at = self.dice.randrange(len(pairs))
            by = self.dice.choice((1, 1, 1, 2, 3, 6))
            name, value = pairs[at]
            way = self.dice.randrange(4)
            if way == 0:
                pairs[at] = name + value[:by], value[by:]
            elif way == 1 and len(name) > by:
                pairs[at] = name[:-by], name[-by:] + value
            elif at + 1 < len(pairs):
                after, held = pairs[at + 1]
                if way == 2 and value:
                    pairs[at], pairs[at + 1] = (name, value[:-by]), (value[-by:] + after, held)
                elif len(after) > by:
                    pairs[at], pairs[at + 1] = (name, value + after[:by]), (after[by:], held)
        return accepted(request, encoded(pairs))

    def merged(self, request: Request) -> bool:
        pairs = sorted(request.pairs)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            if len(pairs) > 1:
                at = self.dice.randrange(len(pairs) - 1)
                pairs[at : at + 2] = [(pairs[at][0], pairs[at][1] + "".join(pairs[at + 1]))]
        return accepted(request, encoded(pairs))

    def doubled(self, request: Request) -> bool:
        pairs = list(request.pairs)
        name, value = self.dice.choice(pairs)
        value = self.dice.choice((value, "", "x", "completed"))
        pairs.insert(self.dice.randrange(len(pairs) + 1), (name, value))
        was_accepted = accepted(request, encoded(pairs))
        assert not was_accepted
        return was_accepted

    def address(self, request: Request) -> bool:
        path, query = self.dice.choice(
            [
                (PATH + "/", b""),
                (PATH + ";", b""),
                (PATH.upper(), b""),
                ("/tenant" + PATH, b""),
                (PATH[:-1], b""),
                (PATH + "/action", b""),
                ("/" + PATH, b""),
                (PATH, b";"),
                (PATH, b"&"),
                (PATH, b"a=b"),
                (PATH, b"\xff"),
                (PATH.replace("v1", "%76%31"), b""),
                (PATH, b"CallSid=CA1"),
                (PATH, b"?"),
                (PATH, b"#"),
            ]
        )
        assert not accepted(request, request.body, path=path, query=query)
        return False

    def other_url(self, request: Request) -> bool:
        """Signed by Twilio for an address that is not, letter by letter, the one we gave it."""
        url = self.dice.choice(
            [
                request.url.replace(".com", ".com:443"),
                request.url.replace("https", "HTTPS"),
                request.url + "?",
                request.url.replace("https", "http"),
                request.url.replace("voice.", "Voice."),
                request.url + ";",
                request.url.replace("voice.example.com", "evil.example"),
                request.url + "#",
                request.url + "/",
            ]
        )
        assert not accepted(request, request.body, header=Request(request.pairs, url).header)
        return False

    def bytes_changed(self, request: Request) -> bool:
        body = bytearray(request.body)
        for _ in range(self.dice.choice((1, 1, 2, 4))):
            at = self.dice.randrange(len(body))
            way = self.dice.randrange(3)
            if way == 0:
                body[at] = self.dice.choice(b"&=%+;\x00\xff aA0?#" + bytes([self.dice.randrange(256)]))
            elif way == 1:
                del body[at : at + self.dice.randrange(1, 4)]
            else:
                body[at:at] = self.dice.choice((b"&", b"=", b"%00", b"%", b";", b"+", b"%20", b"&a=", b"a", b"\r\n"))
            if not body:
                break
        return accepted(request, bytes(body))

    def field_changed(self, request: Request) -> bool:
        pairs = list(request.pairs)
        at = self.dice.choice([at for at, (name, _) in enumerate(pairs) if name in USED])
        name, value = pairs[at]
        new = self.dice.choice(
            (value + "0", value[:-1], value.upper(), value.lower(), " " + value, value + "\0", "+19005550100")
        )
        if new == value:
            return True
        pairs[at] = (name, new)
        assert not accepted(request, encoded(pairs))
        return False

    def dropped(self, request: Request) -> bool:
        pairs = list(request.pairs)
        gone = pairs.pop(self.dice.randrange(len(pairs)))
        if self.dice.random() < 0.5:
            pairs.insert(self.dice.randrange(len(pairs) + 1), (self.dice.choice(("x", "X", gone[0].lower())), gone[1]))
        return accepted(request, encoded(pairs))

    def re_encoded(self, request: Request) -> bool:
        """The same form in other bytes means the same, whether it is let in or not."""
        pairs = list(request.pairs)
        self.dice.shuffle(pairs)
        every = self.dice.random() < 0.5
        parts = []
        for name, value in pairs:
            text = (
                "".join(f"%{b:02x}" for b in value.encode())
                if every
                else quote(value, safe=self.dice.choice(("", "/:@")))
            )
            parts.append(f"{name}={text}")
        return accepted(request, "&".join(parts).encode())

    def header(self, request: Request) -> bool:
        good = request.header
        at = self.dice.randrange(len(good))
        bad = self.dice.choice(
            (
                good[:at] + self.dice.choice("Ab9+/=") + good[at + 1 :],
                good[:at],
                good + "=",
                good.swapcase(),
                "é" + good,
            )
        )
        if bad == good:
            return True
        assert not accepted(request, request.body, header=bad)
        return False

    def separators(self, request: Request) -> bool:
        body = self.dice.choice(
            (
                request.body + b"&",
                b"&" + request.body,
                request.body.replace(b"&", b";", 1),
                request.body + b";",
                request.body.replace(b"&", b"&&", 1),
                request.body.replace(b"=", b"==", 1),
                request.body + b"\n",
                re.sub(rb"=([^&]*)", lambda m: b"=" + quote_from_bytes(m[1]).encode(), request.body, count=1),
                b"\xef\xbb\xbf" + request.body,
                request.body.replace(b"%2B", b"+"),
                request.body.replace(b"=", b"", 1),
            )
        )
        return accepted(request, body)


def test_mutants_of_signed_requests() -> None:
    mutator = Mutator(11)
    requests = samples()
    let_in: Counter[str] = Counter()
    for number in range(MUTANTS):
        kind, was_accepted = mutator.run(requests[number % len(requests)])
        let_in[kind] += was_accepted
    assert let_in["re_encoded"] > MUTANTS // 100  # the check is not simply shut
