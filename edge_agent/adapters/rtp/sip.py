"""The little of SIP (RFC 3261) that tells whose call a stream belongs to, and when it starts and ends.

Of the parties nothing is kept but which of the floor's own extensions they are: a caller's number ends here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from edge_agent.adapters.rtp import sdp
from edge_agent.adapters.rtp.sdp import Media

LONGEST = 16_384
"""Bytes of a message; what is longer is not looked at."""
MOST_HEADERS = 100
FINAL = 200
"""Status codes from here on end the wait for an answer."""

_REQUEST = re.compile(r"([A-Z]{2,16}) (\S{1,512}) SIP/2\.0")
_STATUS = re.compile(r"SIP/2\.0 (\d{3})\b")
_USER = re.compile(r"(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)
_TAG = re.compile(r";\s*tag=([^;\s]{1,256})", re.IGNORECASE)
_COMPACT = {"i": "call-id", "f": "from", "t": "to", "c": "content-type"}
"""Short names of headers (RFC 3261, section 7.3.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """A request or an answer.

    Attributes:
        call_id: the dialog it belongs to.
        method: of the request, or of the one that is answered.
        status: of an answer; 0 for a request.
        asker: mark of the party that made the request, also in its answers.
        caller: extension of the floor that made the request; empty for anybody else.
        called: extension of the floor that got it; empty for anybody else.
        media: where the sender of this message wants to be sent the voice; None if nothing is said of it.
    """

    call_id: str
    method: str
    status: int
    asker: str
    caller: str
    called: str
    media: Media | None


def parse(data: bytes, extensions: Collection[str]) -> SipMessage | None:
    """Read a datagram; return None if it is no SIP message."""
    if not 0 < len(data) <= LONGEST:
        return None
    head, _, body = data.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")[: MOST_HEADERS + 1]
    request, answer = _REQUEST.fullmatch(first), _STATUS.match(first)
    if request is None and answer is None:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_COMPACT.get(name, name), value.strip())
    call_id = headers.get("call-id", "")[:256]
    if not call_id:
        return None
    described = headers.get("content-type", "").lower().startswith("application/sdp")
    cseq = headers.get("cseq", "").split()
    tag = _TAG.search(headers.get("from", ""))
    # The dialled number stays in To; the phone that rings stands in the first line.
    rung = _extension(request[2], extensions) if request is not None else ""
    return SipMessage(
        call_id=call_id,
        method=request[1] if request is not None else "".join(cseq[1:2]),
        status=int(answer[1]) if answer is not None else 0,
        asker=tag[1] if tag is not None else "",
        caller=_extension(headers.get("from", ""), extensions),
        called=rung or _extension(headers.get("to", ""), extensions),
        media=sdp.parse(body) if described else None,
    )


def _extension(header: str, extensions: Collection[str]) -> str:
    found = _USER.search(header)
    return found[1] if found is not None and found[1] in extensions else ""
