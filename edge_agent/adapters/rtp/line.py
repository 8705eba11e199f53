"""One seat's call on the network: two voices become blocks of 100 ms that belong together."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.adapters.rtp.codecs import COMFORT_NOISE
from edge_agent.adapters.rtp.packet import RtpPacket, is_key
from edge_agent.adapters.rtp.routes import Route
from edge_agent.adapters.rtp.voice import NetworkVoice
from edge_agent.domain.call import Speaker
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings_rtp import SeatRtp

if TYPE_CHECKING:
    from edge_agent.ports import Samples

BLOCK_SAMPLES = RATE // 10
BETWEEN_S = 1.0
"""Without SIP: new streams after so much silence of the network are another call, not the same one moved."""
LOST_S = 900.0
"""A call that SIP has not ended but of which no packet came for so long has ended unseen; none is held for longer."""
KEYS_APART_S = 1.0
"""Packets of pressed keys closer together are told of once."""
FOREIGN = 50
"""Packets (1 s) in a codec that cannot be unpacked, and none that can, after which that is a fault."""
FOREIGN_S = 2.0
"""So long after the last of them it is none any more."""
MOST_STREAMS = 32
"""Streams of one call remembered; a call has two, and two more with every change."""


class NetworkFault(StrEnum):
    """What is wrong with a seat's call."""

    NO_AUDIO = "no_audio"
    NO_CUSTOMER = "no_customer"
    NO_OPERATOR = "no_operator"
    ENCRYPTED = "encrypted"
    CODEC = "codec"


class NetworkLine:
    """A seat.

    Args:
        end_s: without any packet for so long a call is over, if SIP does not say otherwise.
        no_audio_s: a voice that never came in a call so long is missing.
    """

    def __init__(self, source: SeatRtp, *, delay_s: float, end_s: float, no_audio_s: float) -> None:
        self._source = source
        self._end_s = end_s
        self._no_audio_s = no_audio_s
        self._rest: dict[Speaker, Samples] = {}
        self._since_s: float | None = None
        self._packet_s = float("-inf")
        self._came: set[Speaker] = set()
        self._keyed_s = float("-inf")
        self._told_apart: dict[int, Speaker] = {}
        self._signalled = self._encrypted = self._follows = False
        self._fault: NetworkFault | None = None
        self._foreign, self._foreign_s = 0, float("-inf")
        self._forget_rest()
        self.voices = {speaker: NetworkVoice(delay_s=delay_s) for speaker in Speaker}

    @property
    def in_call(self) -> bool:
        """Whether a call is under way."""
        return self._since_s is not None

    @property
    def fault(self) -> NetworkFault | None:
        """What is wrong with the call under way, or with what is sent in place of one, as of the newest tick."""
        return self._fault

    def signal(self, *, in_call: bool, encrypted: bool) -> None:
        """SIP says whether a call is under way, and whether its voices are encrypted."""
        if self._signalled and not in_call:
            self._packet_s = float("-inf")
        self._signalled, self._encrypted = in_call, encrypted

    def push(self, packet: RtpPacket, route: Route, *, sender: str, at_s: float) -> bool:
        """Take a packet from an address; return whether it tells that the customer is pressing keys."""
        speaker = route.speaker or self._speaker(packet, sender, at_s)
        if packet.payload_type in route.events:
            self.voices[speaker].push(packet, None, at_s=at_s)
            if speaker is not Speaker.CUSTOMER:
                return False
            new = is_key(packet.payload) and at_s - self._keyed_s >= KEYS_APART_S
            self._keyed_s = at_s if is_key(packet.payload) else self._keyed_s
            return new
        codec = route.codecs.get(packet.payload_type)
        if codec is None and packet.payload_type not in COMFORT_NOISE:
            self._foreign, self._foreign_s = self._foreign + 1, at_s
            return False
        voice = self.voices[speaker]
        another = voice.push(packet, codec, at_s=at_s)
        if another and self.in_call and not self._signalled and at_s - self._packet_s >= BETWEEN_S:
            self._follows = True
        if voice.heard_s == at_s:
            self._packet_s = at_s
            self._foreign = 0
            self._came.add(speaker)
        return False

    def tick(self, *, now_s: float) -> list[AudioBlock]:
        """Return the block of the last 100 ms, if there is a call; the one after its end says so."""
        quiet_s = now_s - max(self._packet_s, self._since_s or float("-inf"))
        alive = now_s - self._packet_s < self._end_s
        if self._signalled and not alive:
            alive = self._since_s is None or quiet_s < LOST_S
        unreadable = self._foreign >= FOREIGN and now_s - self._foreign_s < FOREIGN_S
        if not alive or self._follows:
            last = self._end()
            # No call begins with what cannot be unpacked: without this nobody would know why the seat stays idle.
            self._fault = NetworkFault.CODEC if unreadable else None
            return last
        if self._since_s is None:
            self._since_s = now_s
        self._look(now_s - self._since_s, unreadable=unreadable)
        for speaker, voice in self.voices.items():
            self._rest[speaker] = np.concatenate((self._rest[speaker], voice.pull(until_s=now_s)))
        blocks = []
        while all(len(rest) >= BLOCK_SAMPLES for rest in self._rest.values()):
            blocks.append(self._block(in_call=True))
        return blocks

    def _block(self, *, in_call: bool) -> AudioBlock:
        taken = {}
        for speaker, rest in self._rest.items():
            taken[speaker], self._rest[speaker] = rest[:BLOCK_SAMPLES], rest[BLOCK_SAMPLES:]
        return AudioBlock(customer=taken[Speaker.CUSTOMER], operator=taken[Speaker.OPERATOR], in_call=in_call)

    def _end(self) -> list[AudioBlock]:
        if self._since_s is None:
            return []
        self._since_s, self._fault, self._encrypted = None, None, False
        self._came.clear()
        follows, self._follows = self._follows, False
        if not follows:
            self._signalled = False
            self._told_apart.clear()
        for speaker, voice in self.voices.items():
            if not follows:
                voice.end()
            rest = self._rest[speaker][:BLOCK_SAMPLES]
            self._rest[speaker] = np.concatenate((rest, np.zeros(BLOCK_SAMPLES - len(rest), np.int16)))
        last = self._block(in_call=False)
        self._forget_rest()
        return [last]

    def _look(self, call_s: float, *, unreadable: bool) -> None:
        if unreadable:
            self._fault = NetworkFault.ENCRYPTED if self._encrypted else NetworkFault.CODEC
        elif self._came:
            missing = set(Speaker) - self._came
            wrong = NetworkFault.NO_CUSTOMER if Speaker.CUSTOMER in missing else NetworkFault.NO_OPERATOR
            self._fault = wrong if missing and call_s >= self._no_audio_s else None
        elif self._encrypted:
            self._fault = NetworkFault.ENCRYPTED
        else:
            self._fault = NetworkFault.NO_AUDIO if call_s >= self._no_audio_s else None

    def _speaker(self, packet: RtpPacket, sender: str, at_s: float) -> Speaker:
        """Return whose stream it is where both come in on one port."""
        if self._source.phone:
            return Speaker.OPERATOR if sender == self._source.phone else Speaker.CUSTOMER
        first = Speaker(self._source.first) if self._source.first else Speaker.CUSTOMER
        second = Speaker.OPERATOR if first is Speaker.CUSTOMER else Speaker.CUSTOMER
        known = self._told_apart.get(packet.ssrc)
        if known is None:
            if len(self._told_apart) > MOST_STREAMS:
                self._told_apart.clear()
            # Later in a call a new stream takes the place of the one that has ended.
            known = first if self.voices[first].free(at_s=at_s) else second
            self._told_apart[packet.ssrc] = known
        return known

    def _forget_rest(self) -> None:
        self._rest = {speaker: np.empty(0, np.int16) for speaker in Speaker}
