"""The process that reads calls off the network and hands their blocks to the agent through a pipe.

What the network sends is nobody's promise: it is read, decoded and put in order in a process of its own, which has no
database, no broker and no privilege. It is told its plan in the first line of its standard input and ends when that is
closed, which also happens when the agent dies.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge_agent.adapters.rtp import open_mirror
from edge_agent.adapters.rtp.listening import Heard, NetworkListening
from edge_agent.adapters.rtp.wire import Counted, Kind, Message, Plan, pack_block
from edge_agent.decoders import json_reader

_read = json_reader(Plan)
TICK_S = 0.1
COUNT_TICKS = 10
"""Counters are told once a second; the agent takes longer silence for a fault."""
MOST_AT_ONCE = 2000
"""Datagrams fetched from one socket before the next one has its turn."""
LONGEST = 65_536
SO_MEMINFO, MEMINFO = 55, struct.Struct("9I")
"""Figures of a socket (linux/sock_diag.h); the last is how many datagrams were dropped."""
HELPER = "/run/mamori-mirror/{interface}.socket"
"""Where `edge-mirror@.socket` waits; without it the process opens the interface itself, if it may."""
NICENESS = -10
"""As for sound cards: next to no work, but none that may wait for recognition."""


class NetworkError(Exception):
    """A socket cannot be had; carries which and why, for the agent."""

    def __init__(self, what: str, error: OSError) -> None:
        super().__init__(what)
        self.facts = {"what": what, "why": error.strerror or str(error)}


class Network:
    """The sockets of a plan; raises `NetworkError` if one cannot be had."""

    def __init__(self, plan: Plan, listening: NetworkListening) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        for port in listening.ports:
            try:
                self._add(_open_port(plan.rtp.address, port), port)
            except OSError as error:
                raise NetworkError(f"{plan.rtp.address} UDP {port}", error) from error
        if interface := plan.rtp.interface:
            path = HELPER.format(interface=interface)
            try:
                there = Path(path).exists()
                self._add(open_mirror.ask(path) if there else open_mirror.open_interface(interface), None)
            except OSError as error:
                raise NetworkError(interface, error) from error

    def _add(self, opened: socket.socket, port: int | None) -> None:
        opened.setblocking(False)
        self._selector.register(opened, selectors.EVENT_READ, port)

    def fetch(self, *, wait_s: float) -> None:
        """Give what has arrived to the seats; wait so long if nothing has."""
        for key, _ in self._selector.select(max(0.0, wait_s)):
            if not isinstance(key.fileobj, socket.socket):
                continue
            for _ in range(MOST_AT_ONCE):
                try:
                    data, sender = key.fileobj.recvfrom(LONGEST)
                except BlockingIOError:
                    break
                at_s = time.monotonic()
                if key.data is None:
                    self._listening.seen(data, at_s=at_s)
                else:
                    self._listening.arrived(data, port=key.data, sender=sender[0], at_s=at_s)

    @property
    def unread(self) -> int:
        """How many datagrams the system dropped because they were not fetched in time."""
        dropped = 0
        for key in self._selector.get_map().values():
            if isinstance(key.fileobj, socket.socket):
                figures = key.fileobj.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
                dropped += MEMINFO.unpack(figures)[-1]
        return dropped


def read_network(out: BinaryIO, plan: Plan) -> None:
    """Send what is heard to `out` until it is closed; raise `NetworkError` if a socket cannot be had."""
    listening = NetworkListening(plan.rtp, plan.seats, end_s=plan.end_s)
    network = Network(plan, listening)
    numbers = {seat.seat: number for number, seat in enumerate(plan.seats)}
    out.write(Message(kind=Kind.READY, payload=b"{}").pack())
    out.flush()
    tick, due_s = 0, time.monotonic() + TICK_S
    while True:
        network.fetch(wait_s=due_s - time.monotonic())
        now_s = time.monotonic()
        if now_s < due_s:
            continue
        # All that has arrived is fetched before time passes: who was held up has lost nothing.
        network.fetch(wait_s=0.0)
        while due_s <= now_s:
            _send(out, listening.tick(now_s=due_s), numbers)
            due_s += TICK_S
            tick += 1
        if tick >= COUNT_TICKS:
            tick = 0
            counted = Counted(lines=listening.counters(), malformed=listening.malformed, unread=network.unread)
            out.write(Message(kind=Kind.COUNTERS, payload=msgspec.json.encode(counted)).pack())
        out.flush()


def _send(out: BinaryIO, heard: Heard, numbers: dict[str, int]) -> None:
    out.writelines(pack_block(numbers[seat], block) for seat, block in heard.blocks)
    if heard.faults:
        out.write(Message(kind=Kind.FAULTS, payload=msgspec.json.encode(heard.faults)).pack())
    if heard.keys:
        out.write(Message(kind=Kind.KEYS, payload=msgspec.json.encode(heard.keys)).pack())


def _open_port(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, open_mirror.RECEIVE_BYTES // 8)
    opened.bind((address, port))
    return opened


def main() -> None:
    """Read the plan from standard input and the network until the input is closed."""
    plan = _read(sys.stdin.buffer.readline())
    with contextlib.suppress(OSError):  # granted by LimitNICE= of the unit; without it all goes on as well
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
    try:
        read_network(sys.stdout.buffer, plan)
    except NetworkError as error:
        sys.stdout.buffer.write(Message(kind=Kind.FAILED, payload=msgspec.json.encode(error.facts)).pack())
        sys.stdout.buffer.flush()
        os._exit(1)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
