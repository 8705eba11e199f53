"""Which voice a datagram of the mirror carries: by what SIP said, else by the address of a seat's phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        self._told: dict[Endpoint, Route] = {}

    def renew(self, seat: str) -> None:
        """Take over what SIP now says of a seat."""
        self._told = {endpoint: route for endpoint, route in self._told.items() if route.seat != seat}
        for dialog in self._dialogs.of(seat):
            for media, speaker in ((dialog.phone, Speaker.CUSTOMER), (dialog.peer, Speaker.OPERATOR)):
                if media is not None and media.port:
                    self._told[media.address, media.port] = self._route(seat, speaker, media)

    def of(self, source: Endpoint, destination: Endpoint) -> Route | None:
        """Return whose voice a datagram carries; None if nobody's."""
        if told := self._told.get(destination):
            return told
        # A phone sends from where it receives (symmetric RTP, RFC 4961), whatever the other end said or did not say.
        if told := self._told.get(source):
            other = Speaker.OPERATOR if told.speaker is Speaker.CUSTOMER else Speaker.CUSTOMER
            return Route(seat=told.seat, speaker=other, codecs=told.codecs, events=told.events)
        if min(source[1], destination[1]) < LOWEST_PORT:
            return None
        if seat := self._phones.get(source[0]):
            return Route(seat=seat, speaker=Speaker.OPERATOR, events=self._events)
        if seat := self._phones.get(destination[0]):
            return Route(seat=seat, speaker=Speaker.CUSTOMER, events=self._events)
        return None

    def _route(self, seat: str, speaker: Speaker, media: Media) -> Route:
        return Route(seat=seat, speaker=speaker, codecs={**STATIC, **media.codecs}, events=media.events or self._events)
