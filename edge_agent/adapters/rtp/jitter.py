"""Packets of one stream put back in order and in time.

Positions are units of the RTP clock, which runs at 8000 a second for G.711 and, by an old mistake that RFC 3551
(section 4.5.2) keeps, for G.722 too. In all three a unit is one byte of payload.

Rules:
1. Local time decides. The packet that took least time in the last `WINDOW_S` tells when the stream's clock read what;
   a sample is due `delay_s` after that. Two streams of a call are so aligned with each other, whatever their clocks.
2. A sender's clock drifts against ours, and the least delay is known better with time. The difference is made up by
   taking up to `MOST_SLIP` units more or fewer in each pull; whoever plays them stretches them to the asked length.
3. What is missing in the numbers of the packets was lost. What is missing in their timestamps alone was not sent:
   the sender was silent.
4. After a leap of numbers or timestamps three packets in agreement begin the stream anew; single ones are dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from edge_agent.adapters.rtp.packet import RtpPacket

UNIT_RATE = 8000
"""Units per second."""
WINDOW_S = 10
"""Seconds over which the fastest packet is looked for: long against jitter, short against drift."""
MOST_SLIP = 0.02
"""Share by which a pull may be longer or shorter than asked for: not heard, and far more than any clock is off."""
SLACK = 40
"""Units (5 ms) by which a stream may be off before it is corrected."""
LEAP = 4000
"""Units (0.5 s) from which an error is corrected at once."""
OFF_S = 2.0
"""A packet so far off the others in time is no part of what came before it."""
NUMBERS = 500
"""Packets (10 s) by which a number may differ from the highest before."""
AGREEING = 3
"""Packets in agreement with one another that begin a stream anew."""
MOST_WAITING = 600
"""Packets kept at most: 12 s."""
MOST_LATE = 5
"""Late packets in a row from which the way has become longer for good, and the stream's time is taken anew."""
GUESSED = 800
"""Units (100 ms) for which silence of the network is taken for loss, when nothing that followed tells."""


class PieceKind(Enum):
    """What a stretch of a stream is."""

    HEARD = auto()
    LOST = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a stream: its payload if it was heard, otherwise its length alone."""

    kind: PieceKind
    length: int
    data: bytes = b""


@dataclass(slots=True, kw_only=True)
class Counters:
    """What became of a voice's packets since the box started.

    Attributes:
        received: packets that came, late ones included, duplicates not.
        lost: packets that never came.
        late: packets that came when their time was over.
        duplicate: packets that came again.
        off: packets that did not fit their stream.
        played: units handed on as sound.
        concealed: units of these that were lost and had to be made up.
    """

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
    off: int = 0
    played: int = 0
    concealed: int = 0


class JitterBuffer:
    """One stream, from its first packet to its last.

    Args:
        delay_s: how long after the fastest packet's time a sample is due; later packets are late.
        counters: where it is counted; shared with the streams before and after this one.
    """

    def __init__(self, *, delay_s: float, counters: Counters) -> None:
        self._delay_s = delay_s
        self._counters = counters
        self._off: list[tuple[RtpPacket, float, bool]] = []
        self._begin()

    def _begin(self) -> None:
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self._seen: set[int] = set()
        self._least: deque[tuple[int, float]] = deque(maxlen=WINDOW_S)
        self._base_s = 0.0
        self._highest: int | None = None
        self._newest = self._first = 0
        self._next: int | None = None
        self._played: int | None = None
        self._speaks = False
        self._length = UNIT_RATE // 50
        self._guessed = self._late = 0

    def push(self, packet: RtpPacket, *, at_s: float, audio: bool = True) -> None:
        """Take a packet that arrived at a local time; `audio` is false for one that only says that nobody spoke."""
        if self._highest is None:
            self._highest, self._newest = packet.sequence, packet.timestamp
            self._first = packet.sequence
        number = self._highest + _signed(packet.sequence - self._highest, 16)
        position = self._newest + _signed(packet.timestamp - self._newest, 32)
        transit_s = at_s - position / UNIT_RATE
        if abs(number - self._highest) > NUMBERS or (self._least and abs(transit_s - self._base_s) > OFF_S):
            self._leap(packet, at_s=at_s, audio=audio)
            return
        self._off.clear()
        if number in self._seen:
            self._counters.duplicate += 1
            return
        self._note(number)
        self._time(at_s, transit_s)
        if number > self._highest:
            self._highest, self._newest = number, position
        if self._next is not None and position + len(packet.payload) <= self._next and audio:
            self._note_late(at_s, transit_s)
            return
        self._late = 0
        self._waiting[number] = (position, packet.payload if audio else b"")
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[min(self._waiting)]

    def pull(self, *, until_s: float, units: int) -> list[Piece]:
        """Return what was due in the `units` before a local time; up to `MOST_SLIP` more or less of it."""
        if not self._least:
            return [Piece(kind=PieceKind.SILENT, length=units)]
        ideal = round((until_s - self._base_s - self._delay_s) * UNIT_RATE)
        if self._next is None or abs(ideal - units - self._next) > LEAP:
            self._next = ideal - units
        error = ideal - units - self._next
        most = round(units * MOST_SLIP)
        length = units + (max(-most, min(most, error)) if abs(error) > SLACK else 0)
        pieces = self._pieces(self._next, self._next + length)
        self._counters.played += sum(piece.length for piece in pieces if piece.kind is not PieceKind.SILENT)
        self._counters.concealed += sum(piece.length for piece in pieces if piece.kind is PieceKind.LOST)
        self._next += length
        return pieces

    def _pieces(self, position: int, end: int) -> list[Piece]:
        pieces: list[Piece] = []
        for number in sorted(self._waiting):
            start, payload = self._waiting[number]
            if start >= end:
                # What is missing before it may still come; the part that is due now is looked at all the same.
                pieces += self._gap(position, end, missing=self._missing(number))
                return pieces
            if start > position:
                pieces += self._gap(position, start, missing=self._missing(number))
                position = start
            taken = payload[max(0, position - start) : end - start]
            if taken:
                pieces.append(Piece(kind=PieceKind.HEARD, length=len(taken), data=taken))
                position += len(taken)
                self._guessed = 0
            self._played = number
            self._speaks = bool(payload)
            self._length = len(payload) or self._length
            if start + len(payload) > end:
                return pieces
            del self._waiting[number]
        pieces += self._gap(position, end, missing=None)
        return pieces

    def _missing(self, number: int) -> int:
        """Return how many packets before this one are not there; none before the first."""
        return 0 if self._played is None else max(0, number - self._played - 1)

    def _gap(self, start: int, end: int, *, missing: int | None) -> list[Piece]:
        """Return lost and silent pieces between two positions; `missing` None: nothing tells yet."""
        length = end - start
        if length <= 0:
            return []
        if missing is None:
            # What was told lost before may be more than is ever guessed.
            lost = min(length, max(0, GUESSED - self._guessed)) if self._speaks else 0
        else:
            lost = min(length, max(0, missing * self._length - self._guessed)) if self._speaks else 0
        self._guessed += lost
        pieces = [Piece(kind=PieceKind.LOST, length=lost)] if lost else []
        return [*pieces, Piece(kind=PieceKind.SILENT, length=length - lost)] if length > lost else pieces

    def _leap(self, packet: RtpPacket, *, at_s: float, audio: bool) -> None:
        self._counters.off += 1
        before = self._off[-1][0] if self._off else None
        if before is not None and _signed(packet.sequence - before.sequence, 16) != 1:
            self._off.clear()
        self._off.append((packet, at_s, audio))
        if len(self._off) >= AGREEING:
            agreeing, self._off = self._off, []
            self._counters.off -= len(agreeing)
            self._begin()
            for one, arrived_s, sounds in agreeing:
                self.push(one, at_s=arrived_s, audio=sounds)

    def _note_late(self, at_s: float, transit_s: float) -> None:
        self._counters.late += 1
        self._late += 1
        if self._late >= MOST_LATE:
            self._late, self._next = 0, None
            self._least.clear()
            self._time(at_s, transit_s)

    def _note(self, number: int) -> None:
        """Count a packet; those between it and the highest before are lost until they come."""
        highest = self._highest if self._highest is not None else number
        if self._seen:
            if number > highest:
                self._counters.lost += number - highest - 1
            elif number > self._first:
                self._counters.lost -= 1
            else:
                self._counters.lost += self._first - number - 1
        self._first = min(self._first, number)
        self._counters.received += 1
        self._seen.add(number)
        if len(self._seen) > 2 * NUMBERS:
            self._seen = {one for one in self._seen if one > highest - NUMBERS}

    def _time(self, at_s: float, transit_s: float) -> None:
        second = int(at_s)
        if self._least and self._least[-1][0] == second:
            if transit_s >= self._least[-1][1]:
                return
            self._least[-1] = (second, transit_s)
        else:
            self._least.append((second, transit_s))
        self._base_s = min(least for _, least in self._least)


def _signed(difference: int, bits: int) -> int:
    """Return a difference of two counters that wrap round as the smaller way between them."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
