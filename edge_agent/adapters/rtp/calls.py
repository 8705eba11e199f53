"""All calls of the network: their process is kept running and watched, and the seats are supplied from it."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from edge_agent.adapters.reader_process import POLL_S, end, keep_reading, tail
from edge_agent.adapters.rtp.jitter import UNIT_RATE
from edge_agent.adapters.rtp.line import NetworkFault
from edge_agent.adapters.rtp.wire import Counted, Kind, Message, Plan, Unpacker, unpack_block
from edge_agent.decoders import json_reader
from edge_agent.errors import Text
from edge_agent.log import Log
from edge_agent.ports import AudioBlock

SILENT_S = 3.0
"""Counters come every second: a process that said nothing for so long is stuck."""

_read_failure = json_reader(dict[str, str])
_read_faults = json_reader(dict[str, NetworkFault | None])
_read_keys = json_reader(list[str])
_read_counters = json_reader(Counted)
_log = Log("network")


class NetworkCalls:
    """Keeps the process running and its seats supplied.

    Args:
        deliver: for each seat of the plan, who takes its blocks; must return at once.
        on_fault: told for each seat what is wrong, and None when it is mended.
        on_keys: told of a seat on whose call keys are being pressed; which ones nobody knows.
        command: program that reads the network; replaced in tests alone.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        deliver: Mapping[str, Callable[[AudioBlock], None]],
        on_fault: Callable[[str, Text | None], None],
        on_keys: Callable[[str], None] = lambda _seat: None,
        command: Sequence[str] = (sys.executable, "-m", "edge_agent.adapters.rtp.process"),
    ) -> None:
        self._plan = plan
        self._deliver = deliver
        self._on_fault = on_fault
        self._on_keys = on_keys
        self._command = tuple(command)
        self._seats = [seat.seat for seat in plan.seats]
        self._shown: Text | None = None
        self._working = False
        self._made_up_before: dict[str, int] = {}
        self.counted = Counted(lines={}, malformed=0, unread=0)

    def missing_blocks(self, seat: str) -> int:
        """Return how many blocks of 100 ms the call of a seat lost on the network; may be asked from any thread."""
        before = self._made_up_before.get(seat)
        return 0 if before is None else (self._made_up(seat) - before) * 10 // UNIT_RATE

    def run(self, stop: threading.Event) -> None:
        """Read the network until `stop` is set, whatever happens to it."""
        keep_reading(stop, lambda: self._read(stop), self._lost)

    def _lost(self, fault: Text) -> None:
        self._working = False
        self._show(fault)

    def _read(self, stop: threading.Event) -> Text | None:
        """Run the process until it fails; return what is wrong, or None if `stop` was set."""
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, bufsize=0
            )
            try:
                fault = self._listen(process, stop)
            finally:
                if not end(process):
                    _log.warning("network_process_stuck", pid=process.pid)
            if fault is not None and self._shown is None:
                # What the process prints can hold bytes of a call once it has read some.
                _log.warning("network_lost", error="" if self._working else repr(tail(complaints)))
            return fault

    def _listen(self, process: subprocess.Popen[bytes], stop: threading.Event) -> Text | None:
        if process.stdin is None or process.stdout is None:  # asked for above; the type does not know
            return None
        process.stdin.write(msgspec.json.encode(self._plan) + b"\n")
        unpacker, heard_s = Unpacker(), time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not stop.is_set():
                if not selector.select(POLL_S):
                    if self._working and time.monotonic() - heard_s > SILENT_S:
                        return _STUCK
                    continue
                heard_s = time.monotonic()
                data = os.read(process.stdout.fileno(), 1 << 18)
                if not data:
                    return _STUCK
                for message in unpacker.feed(data):
                    if message.kind is Kind.FAILED:
                        return _refused(_read_failure(message.payload))
                    self._take(message)
        return None

    def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.BLOCK:
                number, block = unpack_block(message.payload)
                seat = self._seats[number]
                if block.in_call:
                    self._made_up_before.setdefault(seat, self._made_up(seat))
                else:
                    self._made_up_before.pop(seat, None)
                self._deliver[seat](block)
            case Kind.READY:
                self._working = True
                # The counters of a new process begin at nothing.
                self.counted, self._made_up_before = Counted(lines={}, malformed=0, unread=0), {}
                self._show(None)
            case Kind.FAULTS:
                for seat, fault in _read_faults(message.payload).items():
                    self._on_fault(seat, _FAULTS[fault] if fault is not None else None)
            case Kind.KEYS:
                for seat in _read_keys(message.payload):
                    self._on_keys(seat)
            case Kind.COUNTERS:
                self.counted = _read_counters(message.payload)

    def _made_up(self, seat: str) -> int:
        return self.counted.lines.get(seat, {}).get("concealed", 0)

    def _show(self, fault: Text | None) -> None:
        if fault is None:
            _log.info("network_running", count=len(self._seats))
        self._shown = fault
        for seat in self._seats:
            self._on_fault(seat, fault)


_STUCK = Text(
    "電話網の読み取りが止まりました。自動で再開を試みています。",
    "Reading the telephone network has stopped. It is being started again.",
)

_FAULTS = {
    NetworkFault.NO_AUDIO: Text(
        "通話中ですが、音声が届きません。ミラーの対象と、席の phone・extension・ポートの設定を確認してください。",
        "A call is under way, but no voice arrives. Check what is mirrored, and the seat's phone, extension or ports.",
    ),
    NetworkFault.NO_CUSTOMER: Text(
        "お客様の声が届きません（オペレーターの声だけです）。ミラーの向きと customer_port を確認してください。",
        "The customer's voice does not arrive, only the operator's. Check the mirror's directions and `customer_port`.",
    ),
    NetworkFault.NO_OPERATOR: Text(
        "オペレーターの声が届きません（お客様の声だけです）。ミラーの向きと operator_port を確認してください。",
        "The operator's voice does not arrive, only the customer's. Check the mirror's directions and `operator_port`.",
    ),
    NetworkFault.CODEC: Text(
        "音声は届いていますが、この機器で扱えない符号化方式です（G.711 と G.722 だけ扱えます）。"
        "電話機か交換機の設定を変えてください。",
        "Voices arrive, but in a codec the box cannot unpack (G.711 and G.722 only). Change it at phones or exchange.",
    ),
    NetworkFault.ENCRYPTED: Text(
        "音声が暗号化（SRTP）されていて聞き取れません。交換機で録音用の平文の複製を設定してください。",
        "The voices are encrypted (SRTP) and cannot be heard. Have the exchange send a plain copy for recording.",
    ),
}


def _refused(facts: dict[str, str]) -> Text:
    return Text(
        f"電話網の「{facts['what']}」を開けません（{facts['why']}）。設定の [rtp] と edge-mirror@ を確認してください。",
        f"{facts['what']} of the telephone network cannot be opened ({facts['why']}). Check [rtp] in the settings and "
        "the unit edge-mirror@.",
    )
