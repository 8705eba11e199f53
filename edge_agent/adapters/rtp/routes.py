"""Which voice a datagram of the mirror carries: by what SIP said, else by the address of a seat's phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.adapters.rtp.codecs import STATIC, Codec
from edge_agent.adapters.rtp.dialogs import Dialogs
from edge_agent.adapters.rtp.sdp import Media
from edge_agent.domain.call import Speaker
from edge_agent.settings_rtp import SeatOnNetwork

Endpoint = tuple[str, int]
"""IP address and UDP port."""
LOWEST_PORT = 1024
"""Below it no phone sends or receives a voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a datagram belongs.

    Attributes:
        speaker: whose voice it is; None: to be told apart by the stream.
        codecs: by payload type.
        events: payload types of telephone events.
    """

    seat: str
    speaker: Speaker | None
    codecs: Mapping[int, Codec] = field(default_factory=lambda: STATIC)
    events: frozenset[int] = frozenset()


class MirrorRoutes:
    """Routes of what a mirror interface sees."""

    def __init__(self, seats: Sequence[SeatOnNetwork], dialogs: Dialogs, *, event_type: int) -> None:
        self._dialogs = dialogs
        self._events = frozenset({event_type})
        self._phones = {seat.source.phone: seat.seat for seat in seats if seat.source.phone}
        self._told: dict[Endpoint, dict[str, Route]] = {}

    def renew(self, seat: str) -> None:
        """Take over what SIP now says of a seat."""
        for endpoint in [endpoint for endpoint, routes in self._told.items() if routes.pop(seat, None) and not routes]:
            del self._told[endpoint]
        for dialog in self._dialogs.of(seat):
            for media, speaker in ((dialog.phone, Speaker.CUSTOMER), (dialog.peer, Speaker.OPERATOR)):
                if media is not None and media.port:
                    told = self._told.setdefault((media.address, media.port), {})
                    told[seat] = self._route(seat, speaker, media)

    def of(self, source: Endpoint, destination: Endpoint) -> Iterable[Route]:
        """Return whose voice a datagram carries: of one seat, or of two whose phones talk directly."""
        found = dict(self._told.get(destination, {}))
        # A phone sends from where it receives (symmetric RTP, RFC 4961), whatever the other end said or did not say.
        for seat, told in self._told.get(source, {}).items():
            other = Speaker.OPERATOR if told.speaker is Speaker.CUSTOMER else Speaker.CUSTOMER
            found.setdefault(seat, Route(seat=seat, speaker=other, codecs=told.codecs, events=told.events))
        if min(source[1], destination[1]) >= LOWEST_PORT:
            for endpoint, speaker in ((source, Speaker.OPERATOR), (destination, Speaker.CUSTOMER)):
                if seat := self._phones.get(endpoint[0], ""):
                    found.setdefault(seat, Route(seat=seat, speaker=speaker, events=self._events))
        return found.values()

    def _route(self, seat: str, speaker: Speaker, media: Media) -> Route:
        return Route(seat=seat, speaker=speaker, codecs={**STATIC, **media.codecs}, events=media.events or self._events)
