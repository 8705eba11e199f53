"""The process that reads one sound card and hands its frames to the agent through a pipe.

A card that is pulled out may block its reader for ever inside the driver. So every card is read by a fresh
interpreter of its own, which the agent kills and starts again. It knows nothing of lines or calls: frames go to
its standard output as messages, and it ends when its standard input is closed, which also happens when the
agent dies.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import struct
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyaudio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

HEADER = struct.Struct("<4sIQQQQ")
"""Kind, payload bytes, frames before this message, overruns so far, frames lost so far, capture time (ns)."""

BACKLOG_S = 2.0
"""How much audio waits in this process if the agent does not fetch it; older audio is dropped and counted."""

NICENESS = -10
"""Reading a card takes next to no time, but must not wait for recognition when the box is busy."""

INPUT_OVERRUN = 2
"""PortAudio's paInputOverflow: frames were lost between the card and the callback."""


class Kind(StrEnum):
    """What a message is."""

    READY = "REDY"
    FRAMES = "FRMS"
    FAILED = "FAIL"


class Reason(StrEnum):
    """Why a card cannot be read."""

    ABSENT = "absent"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the pipe.

    Attributes:
        payload: int16 interleaved frames for `FRAMES`; JSON in UTF-8 for the others.
        first_frame: frames delivered since the start before this message.
        overruns: times the card reported since the start that it lost frames.
        lost: frames dropped since the start because the agent did not fetch them in time.
        at_ns: CLOCK_MONOTONIC when the card delivered them, nanoseconds.
    """

    kind: Kind
    payload: bytes
    first_frame: int = 0
    overruns: int = 0
    lost: int = 0
    at_ns: int = 0

    def pack(self) -> bytes:
        """Return the message as it goes through the pipe."""
        head = HEADER.pack(
            self.kind.value.encode(), len(self.payload), self.first_frame, self.overruns, self.lost, self.at_ns
        )
        return head + self.payload


class Unpacker:
    """Finds messages in the bytes of the pipe, however they were cut."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes and yield the messages they complete; raise `ValueError` if they are none of ours."""
        self._bytes += data
        while len(self._bytes) >= HEADER.size:
            kind, length, first_frame, overruns, lost, at_ns = HEADER.unpack_from(self._bytes)
            end = HEADER.size + length
            if len(self._bytes) < end:
                return
            payload = bytes(self._bytes[HEADER.size : end])
            del self._bytes[:end]
            yield Message(
                kind=Kind(kind.decode("ascii", "replace")),
                payload=payload,
                first_frame=first_frame,
                overruns=overruns,
                lost=lost,
                at_ns=at_ns,
            )


class CardError(Exception):
    """The card cannot be read; carries the reason for the agent."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Outlet:
    """Frames on their way from PortAudio's thread to the pipe: bounded, the oldest are dropped and counted."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Message] = deque()
        self._frames = self._overruns = self._lost = 0

    def put(self, payload: bytes, *, frames: int, overrun: bool, at_ns: int) -> None:
        """Queue what a callback brought."""
        with self._changed:
            self._overruns += overrun
            if len(self._waiting) >= self._limit:
                oldest = self._waiting.popleft()
                following = self._waiting[0].first_frame if self._waiting else self._frames
                self._lost += following - oldest.first_frame
            self._waiting.append(
                Message(
                    kind=Kind.FRAMES,
                    payload=payload,
                    first_frame=self._frames,
                    overruns=self._overruns,
                    lost=self._lost,
                    at_ns=at_ns,
                )
            )
            self._frames += frames
            self._changed.notify()

    def take(self) -> Message:
        """Wait for the next message."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            return self._waiting.popleft()


def find_device(names: Mapping[int, str], match: str) -> int:
    """Return the index of the one device whose name is `match` or holds it; raise `CardError` otherwise."""
    for index, name in names.items():
        if name == match:
            return index
    found = [index for index, name in names.items() if match in name]
    if not found:
        raise CardError(Reason.ABSENT, ", ".join(names.values()))
    if len(found) > 1:
        raise CardError(Reason.AMBIGUOUS, ", ".join(names[index] for index in found))
    return found[0]


def read_card(out: BinaryIO, *, match: str, channels: int, rate: int, period_ms: int) -> None:
    """Send a card's frames to `out` until it is closed; raise `CardError` if the card cannot be read."""
    audio = pyaudio.PyAudio()
    infos = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    names = {int(info["index"]): str(info["name"]) for info in infos if int(info["maxInputChannels"]) > 0}
    index = find_device(names, match)
    outlet = Outlet(limit=max(1, round(BACKLOG_S * 1000 / period_ms)))

    def heard(data: bytes | None, frames: int, _time: Mapping[str, float], status: int) -> tuple[None, int]:
        outlet.put(data or b"", frames=frames, overrun=bool(status & INPUT_OVERRUN), at_ns=time.monotonic_ns())
        return None, pyaudio.paContinue

    try:
        audio.open(
            format=pyaudio.paInt16,
            channels=channels,
            rate=rate,
            input=True,
            input_device_index=index,
            frames_per_buffer=rate * period_ms // 1000,
            stream_callback=heard,
        )
    except (OSError, ValueError) as error:
        raise CardError(Reason.REFUSED, str(error)) from error
    ready = Message(kind=Kind.READY, payload=json.dumps({"name": names[index]}).encode())
    out.write(ready.pack())
    out.flush()
    # From here on PortAudio has nothing to say that the frame counters do not say better.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    while True:
        out.write(outlet.take().pack())
        out.flush()


def main() -> None:
    """Read the card named on the command line; exit status 1 after telling the agent why it cannot be read."""
    parser = argparse.ArgumentParser(prog="card_process")
    parser.add_argument("--match", required=True)
    for name in ("--channels", "--rate", "--period-ms"):
        parser.add_argument(name, type=int, required=True)
    told = parser.parse_args()
    with contextlib.suppress(OSError):  # granted by LimitNICE= of the unit; without it all goes on as well
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    # The driver may hold the main thread for ever: only a hard exit is sure to end this process.
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
    try:
        read_card(
            sys.stdout.buffer,
            match=told.match,
            channels=told.channels,
            rate=told.rate,
            period_ms=told.period_ms,
        )
    except CardError as error:
        facts = json.dumps({"reason": error.reason, "detail": error.detail}).encode()
        sys.stdout.buffer.write(Message(kind=Kind.FAILED, payload=facts).pack())
        sys.stdout.buffer.flush()
        os._exit(1)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
