"""What goes through the pipe between the process that reads the network and the agent."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec
import numpy as np

from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings_rtp import Rtp, SeatOnNetwork

HEADER = struct.Struct("<4sI")
"""Kind, payload bytes."""
BLOCK = struct.Struct("<H?")
"""Number of the seat in the plan, whether it is in a call; samples of both voices follow."""
BLOCK_SAMPLES = RATE // 10


class Kind(StrEnum):
    """What a message is; all but blocks hold JSON."""

    READY = "REDY"
    BLOCK = "BLCK"
    FAULTS = "FLTS"
    KEYS = "KEYS"
    COUNTERS = "CNTS"
    FAILED = "FAIL"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told when it starts, as one line of JSON."""

    rtp: Rtp
    seats: list[SeatOnNetwork]
    end_s: float


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Counters since the process started.

    Attributes:
        lines: `Counters` of each seat, both voices together.
        malformed: datagrams for a seat that were no RTP.
        unread: datagrams the system dropped because the process did not fetch them in time.
    """

    lines: dict[str, dict[str, int]]
    malformed: int
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message."""

    kind: Kind
    payload: bytes

    def pack(self) -> bytes:
        """Return the message as it goes through the pipe."""
        return HEADER.pack(self.kind.value.encode(), len(self.payload)) + self.payload


class Unpacker:
    """Finds messages in the bytes of the pipe, however they were cut."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes and yield the messages they complete; raise `ValueError` if they are none of ours."""
        self._bytes += data
        while len(self._bytes) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._bytes)
            end = HEADER.size + length
            if len(self._bytes) < end:
                return
            payload = bytes(self._bytes[HEADER.size : end])
            del self._bytes[:end]
            yield Message(kind=Kind(kind.decode("ascii", "replace")), payload=payload)


def pack_block(number: int, block: AudioBlock) -> bytes:
    """Return a block of the seat with that number as a message."""
    operator = block.operator if block.operator is not None else np.zeros_like(block.customer)
    samples = block.customer.tobytes() + operator.tobytes()
    return Message(kind=Kind.BLOCK, payload=BLOCK.pack(number, bool(block.in_call)) + samples).pack()


def unpack_block(payload: bytes) -> tuple[int, AudioBlock]:
    """Return the seat's number and the block."""
    number, in_call = BLOCK.unpack_from(payload)
    customer, operator = np.frombuffer(payload, np.int16, offset=BLOCK.size).reshape(2, BLOCK_SAMPLES)
    return number, AudioBlock(customer=customer, operator=operator, in_call=in_call)
