"""The process that reads the network: real sockets, a real child process."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import psutil
import pytest

from edge_agent.adapters.rtp import open_mirror
from edge_agent.adapters.rtp.calls import NetworkCalls
from edge_agent.adapters.rtp.wire import Counted, Kind, Message, Plan, Unpacker, pack_block, unpack_block
from edge_agent.ports import AudioBlock
from edge_agent.settings_rtp import Rtp, SeatOnNetwork, SeatRtp
from tests.adapters.rtp.senders import Telephone, rtp
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_agent.errors import Text
    from tests.fixtures_audio import Eventually

pytestmark = pytest.mark.alone

PATIENCE_S = 60.0
"""How long is waited for another process; on a busy machine it takes its time."""
needs_raw_sockets = pytest.mark.skipif(os.geteuid() != 0, reason="only root can read an interface")


@dataclass
class Floor:
    """What the network's calls delivered and reported."""

    blocks: list[AudioBlock] = field(default_factory=list)
    faults: list[Text | None] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    calls: NetworkCalls | None = None

    @contextmanager
    def reading(self, source: SeatRtp, rtp: Rtp | None = None, command: Sequence[str] = ()) -> Iterator[Floor]:
        plan = Plan(rtp=rtp or Rtp(), seats=[SeatOnNetwork(seat="01", source=source)], end_s=1.0)
        more = {"command": command} if command else {}
        self.calls = NetworkCalls(
            plan,
            deliver={"01": self.blocks.append},
            on_fault=lambda _seat, fault: self.faults.append(fault),
            on_keys=self.keys.append,
            **more,
        )
        stop = threading.Event()
        thread = threading.Thread(target=self.calls.run, args=(stop,))
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()

    @property
    def running(self) -> bool:
        return bool(self.faults) and self.faults[-1] is None


def send(telephone: Telephone, port: int, *, from_port: int = 0) -> None:
    """Send a telephone's packets in real time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("127.0.0.1", from_port))
        began = time.monotonic()
        for at_s, packet in telephone.packets():
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            out.sendto(rtp(packet), ("127.0.0.1", port))


def test_messages_survive_however_the_pipe_cuts_them() -> None:
    sent = [Message(kind=Kind.READY, payload=b"{}"), Message(kind=Kind.KEYS, payload=b'["01"]')]
    wire = b"".join(message.pack() for message in sent)
    unpacker = Unpacker()
    assert [message for byte in wire for message in unpacker.feed(bytes([byte]))] == sent


def test_a_block_goes_through_the_pipe_as_it_is() -> None:
    block = AudioBlock(
        customer=np.arange(1600, dtype=np.int16), operator=-np.arange(1600, dtype=np.int16), in_call=True
    )
    message = next(Unpacker().feed(pack_block(7, block)))
    number, back = unpack_block(message.payload)
    assert number == 7
    assert back.in_call is True
    assert np.array_equal(back.customer, block.customer)
    assert back.operator is not None
    assert np.array_equal(back.operator, block.operator)


def test_lost_audio_is_shown_for_the_call_under_way_alone() -> None:
    plan = Plan(rtp=Rtp(), seats=[SeatOnNetwork(seat="01", source=SeatRtp(customer_port=5000))], end_s=1.0)
    calls = NetworkCalls(plan, deliver={"01": lambda _block: None}, on_fault=lambda _seat, _fault: None)
    shown = []
    silence = np.zeros(1600, np.int16)
    for in_call, concealed in ((True, 0), (True, 2400), (False, 2400), (False, 4000), (True, 4000), (True, 4800)):
        wire = pack_block(0, AudioBlock(customer=silence, operator=silence, in_call=in_call))
        counted = Counted(lines={"01": {"concealed": concealed}}, malformed=0, unread=0)
        counters = Message(kind=Kind.COUNTERS, payload=msgspec.json.encode(counted))
        for message in (*Unpacker().feed(wire), counters):
            calls._take(message)
        shown.append(calls.missing_blocks("01"))
    assert shown == [0, 3, 0, 0, 0, 1]


def test_a_call_at_two_ports_is_delivered_and_counted(eventually: Eventually) -> None:
    customer, operator = free_ports(2)
    with Floor().reading(SeatRtp(customer_port=customer, operator_port=operator)) as floor:
        eventually(lambda: floor.running, PATIENCE_S)
        voices = [
            threading.Thread(target=send, args=(Telephone(payload=b"\x10" * 8000, ssrc=port), port))
            for port in (customer, operator)
        ]
        for voice in voices:
            voice.start()
        for voice in voices:
            voice.join()
        eventually(lambda: floor.blocks and floor.blocks[-1].in_call is False, PATIENCE_S)
        eventually(lambda: floor.calls.counted.lines.get("01", {}).get("received") == 100, PATIENCE_S)
    loud = [block for block in floor.blocks if np.abs(block.customer.astype(int)).max() > 1000]
    assert len(loud) >= 10
    assert all(np.abs(block.operator.astype(int)).max() > 1000 for block in loud[1:-1])


def test_a_port_that_is_taken_is_a_fault_until_it_is_free(eventually: Eventually) -> None:
    (port,) = free_ports(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with Floor().reading(SeatRtp(customer_port=port)) as floor:
            eventually(lambda: floor.faults, PATIENCE_S)
            assert floor.faults[0] is not None
            assert str(port) in floor.faults[0].ja
            other.close()
            eventually(lambda: floor.running, PATIENCE_S)


def test_a_process_that_is_killed_is_started_again(eventually: Eventually) -> None:
    (port,) = free_ports(1)
    with Floor().reading(SeatRtp(customer_port=port)) as floor:
        eventually(lambda: floor.running, PATIENCE_S)
        (child,) = [one for one in psutil.Process().children() if "edge_agent.adapters.rtp.process" in one.cmdline()]
        child.kill()
        eventually(lambda: any(floor.faults), PATIENCE_S)
        eventually(lambda: floor.running, PATIENCE_S)


def test_a_process_that_says_nothing_any_more_is_given_up(eventually: Eventually) -> None:
    script = "import sys, time; sys.stdout.buffer.write(b'REDY\\2\\0\\0\\0{}'); sys.stdout.flush(); time.sleep(60)"
    with Floor().reading(SeatRtp(customer_port=1024), command=(sys.executable, "-c", script)) as floor:
        eventually(lambda: floor.running, PATIENCE_S)
        eventually(lambda: any(floor.faults), PATIENCE_S)


@needs_raw_sockets
def test_a_mirror_shows_the_calls_of_a_phone(eventually: Eventually) -> None:
    phone, exchange = free_ports(2)
    # On the loop-back interface every address is the box's own: the phone has one of its own here.
    with Floor().reading(SeatRtp(phone="127.0.0.9"), Rtp(interface="lo")) as floor:
        eventually(lambda: floor.running, PATIENCE_S)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind(("127.0.0.9", phone))
            began = time.monotonic()
            for at_s, packet in Telephone(payload=b"\x10" * 8000).packets():
                time.sleep(max(0.0, began + at_s - time.monotonic()))
                out.sendto(rtp(packet), ("127.0.0.1", exchange))
        eventually(lambda: floor.calls.counted.lines.get("01", {}).get("received") == 50, PATIENCE_S)
    assert any(np.abs(block.operator.astype(int)).max() > 1000 for block in floor.blocks)
    assert max(np.abs(block.customer.astype(int)).max() for block in floor.blocks) <= 1  # dither of the resampling
    assert floor.calls.counted.lines["01"]["duplicate"] == 0


@needs_raw_sockets
def test_the_interface_comes_from_the_helper_with_a_filter_that_nobody_can_change(tmp_path: Path) -> None:
    path = tmp_path / "lo.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=_serve_until_closed, args=(listening, "lo"), daemon=True).start()
        with open_mirror.ask(str(path)) as opened:
            assert opened.family == socket.AF_PACKET
            with pytest.raises(PermissionError):
                opened.setsockopt(socket.SOL_SOCKET, 27, 0)  # SO_DETACH_FILTER
        listening.shutdown(socket.SHUT_RDWR)


def test_the_helper_says_why_there_is_no_interface(tmp_path: Path) -> None:
    path = tmp_path / "nothing0.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=_serve_until_closed, args=(listening, "nothing0"), daemon=True).start()
        with pytest.raises(OSError, match=r"No such device|not permitted"):
            open_mirror.ask(str(path))
        listening.shutdown(socket.SHUT_RDWR)


def _serve_until_closed(listening: socket.socket, interface: str) -> None:
    try:
        open_mirror.serve(listening, interface)
    except OSError:
        return  # the test is over
