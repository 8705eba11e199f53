"""Telephones of another maker (GStreamer) and a bad network between them and the box."""

from __future__ import annotations

import heapq
import random
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from edge_agent.adapters.rtp.codecs import Codec

PACK = {
    Codec.PCMU: "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay",
    Codec.PCMA: "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay",
    Codec.G722: "audio/x-raw,rate=16000,channels=1 ! avenc_g722 ! rtpg722pay",
}


def call(
    recording: Path,
    codec: Codec,
    *,
    customer_port: int,
    operator_port: int,
    customer: str = "127.0.0.1",
    operator: str = "127.0.0.1",
) -> subprocess.Popen[bytes]:
    """Send both sides of a recorded call to two ports, in real time.

    The customer's side goes from the address `customer` to the address `operator`; the operator's the other way.
    """
    side = f"queue ! audioconvert ! audioresample ! {PACK[codec]} max-ptime=20000000 ! udpsink"
    # Each side sends from where it receives, as telephones do, if they have addresses of their own.
    own = [f"bind-address={customer} bind-port={operator_port}", f"bind-address={operator} bind-port={customer_port}"]
    from_customer, from_operator = own if customer != operator else ("", "")
    pipeline = (
        f"filesrc location={recording} ! flacparse ! flacdec ! deinterleave name=sides "
        f"sides.src_0 ! {side} host={operator} port={customer_port} {from_customer} "
        f"sides.src_1 ! {side} host={customer} port={operator_port} {from_operator}"
    )
    return subprocess.Popen(
        ["gst-launch-1.0", "-q", *pipeline.split()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


@dataclass
class BadNetwork:
    """Passes datagrams on from port to port: loses some, and holds each back for a time of its own.

    `loss` is a share, `jitter_s` the longest hold. The first packets of a stream come through, so that what was lost
    can be counted at the other end too.
    """

    ways: dict[int, int]
    loss: dict[int, float]
    jitter_s: float
    passed: dict[int, int] = field(default_factory=dict)
    lost: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        # Each way loses the same packets in every run, however the ways interleave.
        chances = {port: random.Random(number) for number, port in enumerate(self.ways)}  # noqa: S311
        held: list[tuple[float, int, bytes, int]] = []
        count = 0
        with selectors.DefaultSelector() as selector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for port in self.ways:
                inlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                inlet.bind(("127.0.0.1", port))
                selector.register(inlet, selectors.EVENT_READ, port)
            while not self._stop.is_set():
                until_s = held[0][0] - time.monotonic() if held else 0.05
                for key, _ in selector.select(max(0.0, min(0.05, until_s))):
                    port, chance = key.data, chances[key.data]
                    data = key.fileobj.recv(2048)
                    hold_s, luck = chance.uniform(0, self.jitter_s), chance.random()
                    if self.passed.get(port, 0) > 5 and luck < self.loss[port]:
                        self.lost[port] = self.lost.get(port, 0) + 1
                        continue
                    self.passed[port] = self.passed.get(port, 0) + 1
                    count += 1
                    heapq.heappush(held, (time.monotonic() + hold_s, count, data, port))
                while held and held[0][0] <= time.monotonic():
                    _, _, data, port = heapq.heappop(held)
                    out.sendto(data, ("127.0.0.1", self.ways[port]))
            for key in list(selector.get_map().values()):
                key.fileobj.close()
