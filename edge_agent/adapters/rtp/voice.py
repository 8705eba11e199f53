"""One side of a seat's call: its streams one after the other, as samples at `RATE`."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import soxr

from edge_agent.adapters.rtp.codecs import Codec, Concealer, Decoder
from edge_agent.adapters.rtp.jitter import UNIT_RATE, Counters, JitterBuffer, Piece, PieceKind
from edge_agent.adapters.rtp.packet import RtpPacket
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.ports import Samples

_NOTHING = np.empty(0, np.int16)
BLOCK_UNITS = UNIT_RATE // 10
"""Units of the 100 ms that are taken at a time."""
CHANGE_S = 0.06
"""A stream that brought nothing for so long gives way to a new one; while it goes on, others are strays."""
PROBATION = 3
"""Packets in a row that make a stream of what may be anything (RFC 3550, appendix A.1)."""
ADOPTED_WAIT = 50
"""Packets (1 s) of a new stream kept until the one before has ended."""


class NetworkVoice:
    """Plays the stream that is the voice now.

    Attributes:
        counters: what became of its packets, over all its streams.
        heard_s: local time of its newest packet; None before the first.
    """

    def __init__(self, *, delay_s: float) -> None:
        self._delay_s = delay_s
        self._stream: JitterBuffer | None = None
        self._ssrc = -1
        self._next_ssrc = -1
        self._next: list[tuple[RtpPacket, float]] = []
        self._player = _Player(Codec.PCMU)
        self._kept = _NOTHING
        self.counters = Counters()
        self.heard_s: float | None = None

    def push(self, packet: RtpPacket, codec: Codec | None, *, at_s: float) -> bool:
        """Take a packet that arrived at a local time; without codec it only says that nobody spoke.

        Returns:
            whether another stream is the voice from this packet on.
        """
        another = self._stream is None or packet.ssrc != self._ssrc
        if self._stream is None or another:
            if not self._changes(packet, at_s):
                return False
            self._ssrc, waiting, self._next = packet.ssrc, self._next, []
            self._stream = JitterBuffer(delay_s=self._delay_s, counters=self.counters)
        else:
            waiting = [(packet, at_s)]
        self.heard_s = at_s
        if codec is not None and codec is not self._player.codec:
            # What the one before still holds back belongs before what comes, or this voice is ahead of the other.
            self._kept = np.concatenate((self._kept, self._player.rest()))
            self._player = _Player(codec)
        for one, arrived_s in waiting:
            self._stream.push(one, at_s=arrived_s, audio=codec is not None)
        return another

    def pull(self, *, until_s: float) -> Samples:
        """Return the 100 ms due before a local time, at `RATE`; resampling holds back some samples of the first."""
        silent = [Piece(kind=PieceKind.SILENT, length=BLOCK_UNITS)]
        pieces = silent if self._stream is None else self._stream.pull(until_s=until_s, units=BLOCK_UNITS)
        kept, self._kept = self._kept, _NOTHING
        return np.concatenate((kept, self._player.play(pieces)))

    def free(self, *, at_s: float) -> bool:
        """Say whether no stream is this voice now."""
        return self.heard_s is None or at_s - self.heard_s >= CHANGE_S

    def end(self) -> None:
        """Forget the stream, as at the end of a call."""
        self._stream, self._ssrc, self._next, self.heard_s = None, -1, [], None
        self._player, self._kept = _Player(self._player.codec), _NOTHING

    def _changes(self, packet: RtpPacket, at_s: float) -> bool:
        """Keep a packet of another stream; say whether that stream is the voice from now on."""
        if packet.ssrc != self._next_ssrc or (self._next and not _follows(packet, self._next[-1][0])):
            self._next_ssrc, self._next = packet.ssrc, []
        self._next.append((packet, at_s))
        del self._next[:-ADOPTED_WAIT]
        return self.free(at_s=at_s) and len(self._next) >= PROBATION


def _follows(packet: RtpPacket, before: RtpPacket) -> bool:
    """Say whether a packet can belong to the same stream: near in number, lost and reordered ones allowed."""
    return (packet.sequence - before.sequence + 50) % 65536 < 100  # noqa: PLR2004


class _Player:
    """Decodes pieces and brings them to `RATE`."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._decoder = Decoder(codec)
        self._concealer = Concealer(codec.rate)
        self._per_unit = codec.rate // UNIT_RATE
        self._resampler = None if codec.rate == RATE else soxr.ResampleStream(codec.rate, RATE, 1, dtype="int16")

    def play(self, pieces: list[Piece]) -> Samples:
        """Return 100 ms of samples."""
        samples = np.concatenate(
            [self._samples(kind, list(run)) for kind, run in groupby(pieces, lambda one: one.kind)]
        )
        wanted = BLOCK_UNITS * self._per_unit
        if len(samples) != wanted:
            places = np.linspace(0, len(samples) - 1, wanted)
            samples = np.interp(places, np.arange(len(samples)), samples).astype(np.int16)
        if self._resampler is None:
            return samples
        resampled: Samples = self._resampler.resample_chunk(samples)
        return resampled

    def rest(self) -> Samples:
        """Return the samples that resampling has held back; nothing can be played afterwards."""
        if self._resampler is None:
            return _NOTHING
        held: Samples = self._resampler.resample_chunk(_NOTHING, last=True)
        return held

    def _samples(self, kind: PieceKind, run: list[Piece]) -> Samples:
        count = sum(piece.length for piece in run) * self._per_unit
        match kind:
            case PieceKind.HEARD:
                return self._concealer.heard(self._decoder.decode(b"".join(piece.data for piece in run)))
            case PieceKind.LOST:
                return self._concealer.lost(count)
            case PieceKind.SILENT:
                return self._concealer.silent(count)
