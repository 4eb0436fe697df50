"""Twilio's signature: which requests are Twilio's, and what they say beyond doubt.

X-Twilio-Signature is Base64(HMAC-SHA1(auth token, URL + name1 + value1 + name2 + value2 …)), names sorted. Nothing
separates the parts, so one signature fits many requests: text may be moved over the border between a name and its
value, parameters may be run together, a parameter may come twice. A signature alone proves that Twilio sent these
letters, not that it meant this request. What closes the gap:

1. The URL is the one Twilio was given: VOICECTL_PUBLIC_URL, the route, the raw query. Host and forwarded headers are
   the client's to choose and are never looked at. A path prefix that a proxy strips belongs to the public URL.
2. Every parameter has one value, and name and value are well-formed.
3. Each field we use has a closed shape (`_FIELDS`): glue text to the end of its value, or take some off, and it is no
   such value any more. Those that every request of Twilio has must be there.
4. A field we use that is absent must not be readable inside the parameters that are there (`_hidden`).
5. A party that is no number (anonymous, client:…, sip:…) is free text; From must then equal Caller, and To Called.

Parameters we do not use may be anything, so that nothing breaks on the day Twilio adds one; a forger who holds a
signed request may change those, and only those.

The socket's upgrade is signed likewise, over its wss:// URL. That signature is the same for every call and for ever:
it keeps strangers out, and it is the one-time token in `setup` that tells one call from another.
"""

from __future__ import annotations

import base64
import hmac
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from urllib.parse import unquote_to_bytes, urlsplit

from voicectl.carriers._shapes import is_handoff
from voicectl.errors import ConfigError

MAX_BODY = 64 * 1024
"""Bytes of a webhook's body. The server counts while it reads; this is the second look."""
MAX_PARAMETERS = 500


class SignatureError(Exception):
    """The request is refused. `status` is the HTTP status to answer with; `why` holds nothing of the request."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why


def sign(token: str, url: str, parameters: Mapping[str, str]) -> str:
    """The signature of a request to `url` with these form parameters, {} for none."""
    return base64.b64encode(hmac.digest(token.encode(), (url + _letters(parameters)).encode(), "sha1")).decode("ascii")


def _letters(parameters: Mapping[str, str]) -> str:
    return "".join(name + parameters[name] for name in sorted(parameters))


class SignatureCheck:
    """Checks requests against the public URL and the account's auth tokens.

    `tokens` is the primary token, and the previous one while it is being rotated; empty ones are left out.
    `account_sid`, when given, is the only account whose requests are taken. Raises ConfigError when `public_url` is
    no URL, or when no token is left: without one, nothing could be checked.
    """

    def __init__(self, public_url: str, tokens: Sequence[str], *, account_sid: str = "") -> None:
        self._http, self._ws = _bases(public_url)
        self._tokens = tuple(token for token in tokens if token)
        self._account_sid = account_sid
        if not self._tokens:
            raise ConfigError("there is no auth token to check signatures with", "set TWILIO_AUTH_TOKEN")

    @property
    def public_url(self) -> str:
        """The public URL as it is signed: without a default port or a trailing slash, the host in small letters."""
        return self._http

    def webhook_url(self, path: str, raw_query: bytes = b"") -> str:
        """The address of a route as Twilio knows it. `path` is the route's own, beginning with "/"."""
        return self._http + _target(path, raw_query)

    def socket_url(self, path: str, raw_query: bytes = b"") -> str:
        """The wss:// address of a route as Twilio knows it (ws:// when the public URL is http://)."""
        return self._ws + _target(path, raw_query)

    def webhook(
        self,
        path: str,
        raw_query: bytes,
        body: bytes,
        content_type: str,
        header: str | None,
        *,
        shared_key: str | None = None,
    ) -> dict[str, str]:
        """The form of a POST that is Twilio's; raises SignatureError for any other.

        `path` is the route's path, `raw_query` and `body` are as received, `header` is X-Twilio-Signature and
        `shared_key` X-Twilio-Webhooks-Signature-Settings. Status 403: not signed by a token we have, or another
        account. 415 and 413: no form, or too long a one. 400: malformed, or a field we use is not what it should be.
        """
        signature = _signature(header, shared_key)
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise SignatureError(415, "the body is no form")
        if len(body) > MAX_BODY:
            raise SignatureError(413, "the body is too long")
        url = self.webhook_url(path, raw_query)
        form = _parse(body)
        self._verify(url, form, signature)
        if self._account_sid and form.get("AccountSid") != self._account_sid:
            raise SignatureError(403, "another account's request")
        _check_fields(form)
        return form

    def upgrade(self, path: str, raw_query: bytes, header: str | None, *, shared_key: str | None = None) -> None:
        """Returns when the upgrade of a socket is Twilio's; raises SignatureError (403, 400) otherwise."""
        self._verify(self.socket_url(path, raw_query), {}, _signature(header, shared_key))

    def _verify(self, url: str, parameters: Mapping[str, str], signature: bytes) -> None:
        genuine = False
        for token in self._tokens:  # all of them: how long it takes must not tell which one was close
            genuine |= hmac.compare_digest(sign(token, url, parameters).encode(), signature)
        if not genuine:
            raise SignatureError(403, "the signature is wrong")


def _signature(header: str | None, shared_key: str | None) -> bytes:
    if not header:
        raise SignatureError(403, "not signed")
    if shared_key:
        # The header then holds an HMAC-SHA256 by another secret, which would only look like a wrong one.
        raise SignatureError(403, "signed with a SharedKey; voicectl checks signatures by auth token only")
    return header.encode("utf-8", "replace")


# --- the address -------------------------------------------------------------------------------------------

_VISIBLE = re.compile(r"[!-~]*")


def _bases(public_url: str) -> tuple[str, str]:
    """The public URL without its trailing slash, for HTTP and for sockets."""
    hint = "set VOICECTL_PUBLIC_URL to something like https://voice.example.com"
    try:
        parts = urlsplit(public_url)
        port = parts.port
    except ValueError as bad:
        raise ConfigError("the public URL is no URL", hint) from bad
    schemes = {"https": ("wss", 443), "http": ("ws", 80)}
    if parts.scheme not in schemes or not parts.hostname or not _VISIBLE.fullmatch(public_url):
        raise ConfigError("the public URL must begin with https:// and a host name", hint)
    if parts.username is not None or "?" in public_url or "#" in public_url:
        raise ConfigError("the public URL must hold neither a user, nor a query, nor a fragment", hint)
    socket_scheme, usual = schemes[parts.scheme]
    # Without the usual port: Twilio's own rule for signing it has changed over the years.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    rest = host + (f":{port}" if port not in (None, usual) else "") + parts.path.rstrip("/")
    return f"{parts.scheme}://{rest}", f"{socket_scheme}://{rest}"


def _target(path: str, raw_query: bytes) -> str:
    query = raw_query.decode("latin-1")
    if not path.startswith("/") or not _VISIBLE.fullmatch(path) or not _VISIBLE.fullmatch(query):
        raise SignatureError(400, "the address is malformed")
    return f"{path}?{query}" if query else path


# --- the form ----------------------------------------------------------------------------------------------

# What form encoders write. "=" and ";" would be read differently by different parsers, so they must be escaped.
_ENCODED = re.compile(rb"(?:[A-Za-z0-9_.~!*'()$,:/@?+-]|%[0-9A-Fa-f]{2})*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")


def _parse(body: bytes) -> dict[str, str]:
    form: dict[str, str] = {}
    pairs = body.split(b"&") if body else []
    if len(pairs) > MAX_PARAMETERS:
        raise SignatureError(400, "too many parameters")
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not equals or not _ENCODED.fullmatch(name) or not _ENCODED.fullmatch(value):
            raise SignatureError(400, "the form is malformed")
        try:
            key, text = (unquote_to_bytes(part.replace(b"+", b" ")).decode() for part in (name, value))
        except UnicodeDecodeError:
            raise SignatureError(400, "the form is not UTF-8") from None
        if not _NAME.fullmatch(key) or "\0" in text:
            raise SignatureError(400, "a parameter is malformed")
        if key in form:
            raise SignatureError(400, "a parameter is there twice")
        form[key] = text
    return form


_DIGITS = re.compile(r"[0-9]{1,9}")
_STATUS = re.compile(r"[a-z]+(?:-[a-z]+){0,2}")
_DIALLED = re.compile(r"\+?[0-9]{0,20}")
# A number or nothing; a word for a withheld one; or an address such as client:ann or sip:ann@example.com.
_PARTY = re.compile(rf"{_DIALLED.pattern}|[A-Za-z]{{1,40}}|[a-z]{{2,10}}:[^\x00-\x20\x7f]{{1,400}}")
_FIELDS = {
    "AccountSid": re.compile(r"AC[0-9a-fA-F]{32}"),
    "CallSid": re.compile(r"CA[0-9a-fA-F]{32}"),
    "CallStatus": _STATUS,
    "From": _PARTY,
    "To": _PARTY,
    "Direction": _STATUS,
    "SessionId": re.compile(r"VX[0-9a-fA-F]{32}"),
    "SessionStatus": _STATUS,
    "SessionDuration": _DIGITS,
    "SequenceNumber": _DIGITS,
    "CallDuration": _DIGITS,
    "ErrorCode": _DIGITS,
    "HandoffData": re.compile(r"[a-z{](?:.|\n)*"),
}
"""The fields we use, by shape. Twilio's names begin with a capital, which only words and addresses could swallow."""
_REQUIRED = ("AccountSid", "CallSid", "CallStatus", "From", "To")
_OPTIONAL = tuple(name for name in _FIELDS if name not in _REQUIRED)
# Words and addresses are free text, but Twilio sends them twice, and no letters fit the ends of both copies.
_TWINS = {"From": "Caller", "To": "Called"}


def _check_fields(form: Mapping[str, str]) -> None:
    for name in _REQUIRED:
        if name not in form:
            raise SignatureError(400, f"{name} is missing")
    for name, shape in _FIELDS.items():
        value = form.get(name)
        if value is None:
            continue
        if not shape.fullmatch(value) or (name == "HandoffData" and not is_handoff(value)):
            raise SignatureError(400, f"{name} is not what it should be")
    for name, twin in _TWINS.items():
        value = form[name]
        if not _DIALLED.fullmatch(value) and (form[twin] != value if twin in form else twin in _letters(form)):
            raise SignatureError(400, f"{name} and {twin} differ")
    hidden = _hidden(form)
    if hidden:
        raise SignatureError(400, f"{hidden} may be hidden in another parameter")


def _hidden(form: Mapping[str, str]) -> str | None:
    """A field we use that is absent, but that the signed letters hold where it would stand if it were there.

    `ApiVersion=2010-04-01&CallDuration=36` and `ApiVersion=2010-04-01CallDuration36` have one signature. Names are
    signed in order, so an absent field can only lie between a smaller name and a greater one, and its value must
    follow it. Fields of closed shape hide nothing.
    """
    names = sorted(form)
    letters = _letters(form)
    starts = list(accumulate((len(name) + len(form[name]) for name in names[:-1]), initial=0))
    for field in (name for name in _OPTIONAL if name not in form):
        for found in re.finditer(field, letters):
            holder = names[bisect_right(starts, found.start()) - 1]
            behind = bisect_left(starts, found.end())
            if (
                _FIELDS.get(holder, _PARTY) is _PARTY
                and (behind == len(names) or field < names[behind])
                and _FIELDS[field].match(letters, found.end())
            ):
                return field
    return None
