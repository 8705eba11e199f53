"""All seats on the network: datagrams go in, blocks of the seats come out. Synchronous, without sockets or clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from edge_agent.adapters.rtp import sip
from edge_agent.adapters.rtp.dialogs import Dialogs
from edge_agent.adapters.rtp.frames import datagram
from edge_agent.adapters.rtp.line import NetworkFault, NetworkLine
from edge_agent.adapters.rtp.packet import MalformedPacketError, is_rtcp, parse
from edge_agent.adapters.rtp.routes import Endpoint, MirrorRoutes, Route
from edge_agent.domain.call import Speaker
from edge_agent.ports import AudioBlock
from edge_agent.settings_rtp import Rtp, SeatOnNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a tick brought.

    Attributes:
        blocks: seat and block, in order.
        faults: seats whose fault has changed; None: there is none any more.
        keys: seats on whose calls keys are being pressed.
    """

    blocks: tuple[tuple[str, AudioBlock], ...]
    faults: dict[str, NetworkFault | None] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


class NetworkListening:
    """Every seat's line, and what leads packets to it.

    Args:
        end_s: without any packet for so long a call is over, if no SIP is seen.
    """

    def __init__(self, rtp: Rtp, seats: list[SeatOnNetwork], *, end_s: float) -> None:
        delay_s = rtp.delay_ms / 1000
        self._sip_ports = frozenset(rtp.sip_ports)
        self._lines = {
            seat.seat: NetworkLine(seat.source, delay_s=delay_s, end_s=end_s, no_audio_s=rtp.no_audio_s)
            for seat in seats
        }
        self._dialogs = Dialogs(
            extensions={seat.source.extension: seat.seat for seat in seats if seat.source.extension},
            phones={seat.source.phone: seat.seat for seat in seats if seat.source.phone},
        )
        self._mirror = MirrorRoutes(seats, self._dialogs, event_type=rtp.event_type)
        events = frozenset({rtp.event_type})
        self._ports = {
            port: Route(seat=seat.seat, speaker=None if one else speaker, events=events)
            for seat in seats
            for one in [seat.source.customer_port == seat.source.operator_port]
            for speaker, port in (
                (Speaker.CUSTOMER, seat.source.customer_port),
                (Speaker.OPERATOR, seat.source.operator_port),
            )
            if port
        }
        self._shown: dict[str, NetworkFault | None] = {}
        self._keys: list[str] = []
        self.malformed = 0

    @property
    def ports(self) -> tuple[int, ...]:
        """UDP ports that have to be listened on."""
        return tuple(self._ports)

    def arrived(self, payload: bytes, *, port: int, sender: str, at_s: float) -> None:
        """Take a datagram that was sent to a port of this box."""
        self._packet(payload, self._ports[port], sender=sender, at_s=at_s)

    def seen(self, frame: bytes, *, at_s: float) -> None:
        """Take a frame of the mirror interface."""
        seen = datagram(frame)
        if seen is None:
            return
        if seen.source[1] in self._sip_ports or seen.destination[1] in self._sip_ports:
            self._sip(seen.payload, seen.source, seen.destination)
            return
        for route in self._mirror.of(seen.source, seen.destination):
            self._packet(seen.payload, route, sender=seen.source[0], at_s=at_s)

    def tick(self, *, now_s: float) -> Heard:
        """Return what the last 100 ms brought."""
        blocks = tuple((seat, block) for seat, line in self._lines.items() for block in line.tick(now_s=now_s))
        faults = {seat: line.fault for seat, line in self._lines.items() if line.fault != self._shown.get(seat)}
        self._shown |= faults
        for seat in {seat for seat, block in blocks if not block.in_call}:
            self._dialogs.forget_answered(seat)
            self._mirror.renew(seat)
        keys, self._keys = tuple(self._keys), []
        return Heard(blocks=blocks, faults=faults, keys=keys)

    def counters(self) -> dict[str, dict[str, int]]:
        """Return what became of the packets of each seat, both voices together, since the start."""
        return {seat: dict(_sums(line)) for seat, line in self._lines.items()}

    def _packet(self, payload: bytes, route: Route, *, sender: str, at_s: float) -> None:
        if is_rtcp(payload):
            return
        try:
            packet = parse(payload)
        except MalformedPacketError:
            self.malformed += 1
            return
        if self._lines[route.seat].push(packet, route, sender=sender, at_s=at_s):
            self._keys.append(route.seat)

    def _sip(self, payload: bytes, source: Endpoint, destination: Endpoint) -> None:
        message = sip.parse(payload, self._dialogs.extensions)
        if message is None:
            return
        seat = self._dialogs.note(message, source=source[0], destination=destination[0])
        if seat is not None:
            self._mirror.renew(seat)
            encrypted = any(
                media.encrypted for dialog in self._dialogs.of(seat) for media in (dialog.phone, dialog.peer) if media
            )
            self._lines[seat].signal(in_call=self._dialogs.in_call(seat), encrypted=encrypted)


def _sums(line: NetworkLine) -> Iterator[tuple[str, int]]:
    counted = [asdict(voice.counters) for voice in line.voices.values()]
    return ((name, sum(one[name] for one in counted)) for name in counted[0])
