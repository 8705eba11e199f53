"""A sound card: watched, reopened by name when it is lost, and split into the blocks of its lines."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_agent.adapters import reader_process
from edge_agent.adapters.card_frames import START_S, FrameWatch, LossCounter, Splitter, Trouble
from edge_agent.adapters.card_process import Kind, Message, Reason, Unpacker
from edge_agent.adapters.reader_process import POLL_S, tail
from edge_agent.errors import Text
from edge_agent.log import Log
from edge_agent.ports import AudioBlock
from edge_agent.settings import Seat
from edge_agent.settings_cards import Device
from edge_agent.store.cards import CardReport

CARDS = Path("/proc/asound/cards")
"""The kernel's list of sound cards; it changes when one goes or comes, and when udev names one that has come."""
LONGEST_START_S = 20.0
"""A card's process that told nothing in time may take twice as long at the next attempt, and so much at most: on a box
that is too busy to start it in `START_S`, killing it again and again would leave the card unheard for good."""

_log = Log("card")


class Card:
    """Keeps one card's process running and its lines supplied.

    Args:
        deliver: for each seat on this card, who takes its blocks; must return at once.
        on_fault: told for each seat what is wrong with its card, and None when frames come (again).
        command: program that reads the card; replaced in tests alone.
        list_of_cards: where the kernel lists them; a file that is not there shows none.
    """

    def __init__(
        self,
        device: Device,
        seats: Sequence[Seat],
        *,
        deliver: Mapping[str, Callable[[AudioBlock], None]],
        on_fault: Callable[[str, Text | None], None],
        command: Sequence[str] = (sys.executable, "-m", "edge_agent.adapters.card_process"),
        list_of_cards: Path = CARDS,
    ) -> None:
        self._list_of_cards = list_of_cards
        self._start_s = START_S
        self._device = device
        self._seats = tuple(seat for seat in seats if seat.device == device.name)
        self._deliver = deliver
        self._on_fault = on_fault
        self._command = (
            *command,
            f"--match={device.match}",
            f"--channels={device.channels}",
            f"--rate={device.rate}",
            f"--period-ms={device.period_ms}",
        )
        self._shown: Text | None = None
        self._working = False
        self._heard_s: float | None = None
        self._report = CardReport(name=device.name, card=device.match)

    @property
    def report(self) -> CardReport:
        """How the card does and what it lost since the agent's start; may be asked from any thread."""
        return self._report

    def run(self, stop: threading.Event) -> None:
        """Read the card until `stop` is set, whatever happens to it."""
        reader_process.keep_reading(stop, lambda: self._read(stop, time.monotonic()), self._lost, self._cards)

    def _cards(self) -> str:
        try:
            return self._list_of_cards.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _lost(self, fault: Text) -> None:
        if self._working:
            self._report = replace(self._report, losses=self._report.losses + 1)
        self._working = False
        self._show(fault)

    def _read(self, stop: threading.Event, began: float) -> Text | None:
        """Run the card's process until it fails; return what is wrong, or None if `stop` was set."""
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, bufsize=0
            )
            try:
                fault = self._listen(process, stop, began)
            finally:
                if not reader_process.end(process):
                    _log.warning("card_process_stuck", device=self._device.name, pid=process.pid)
            if fault is not None and self._shown is None:
                _log.warning(
                    "card_lost",
                    device=self._device.name,
                    card=self._device.match,
                    error=repr(tail(complaints)) if not self._working else "",
                )
            return fault

    def _listen(self, process: subprocess.Popen[bytes], stop: threading.Event, began: float) -> Text | None:
        if process.stdout is None:  # asked for above; the type does not know
            return None
        unpacker = Unpacker()
        watch = FrameWatch(rate=self._device.rate, started_s=began, start_s=self._start_s)
        cards = self._cards()
        losses, splitter = LossCounter(rate=self._device.rate), Splitter(self._device, self._seats)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not stop.is_set():
                if not selector.select(POLL_S):
                    if self._given_up(watch, cards):
                        return _fault(self._device, Trouble.SILENT)
                    continue
                data = os.read(process.stdout.fileno(), 1 << 18)
                if not data:
                    return _fault(self._device, Trouble.ENDED)
                for message in unpacker.feed(data):
                    if message.kind is Kind.FAILED:
                        facts = json.loads(message.payload)
                        return _fault(self._device, Reason(facts["reason"]), facts["detail"])
                    if message.kind is Kind.FRAMES and (trouble := self._frames(message, watch, losses, splitter)):
                        return _fault(self._device, trouble)
        return None

    def _given_up(self, watch: FrameWatch, cards: str) -> bool:
        """Return whether the process is to be started anew; `cards` are those there were when it began."""
        overdue = watch.overdue(now_s=time.monotonic())
        if self._working:
            return overdue
        if overdue:
            self._start_s = min(self._start_s * 2, LONGEST_START_S)
        # It may hang in the driver of a card that is gone, while that card is back as another one.
        return overdue or self._cards() != cards

    def _frames(self, message: Message, watch: FrameWatch, losses: LossCounter, splitter: Splitter) -> Trouble | None:
        at_s = message.at_ns / 1e9
        overruns = losses.overruns
        dropped = losses.blocks(message)
        overruns = losses.overruns - overruns
        if not self._working:
            if self._heard_s is not None:
                dropped += round((at_s - self._heard_s) * 10)  # all that was said while the card was away
            self._working, self._start_s = True, START_S
            self._show(None)
        self._heard_s = at_s
        if dropped:
            report = self._report
            self._report = replace(report, overruns=report.overruns + overruns, dropped=report.dropped + dropped)
            _log.warning("audio_lost", device=self._device.name, dropped=dropped)
        for seat, block in splitter.feed(message.payload, dropped=dropped):
            self._deliver[seat](block)
        frames = len(message.payload) // (2 * self._device.channels)
        return watch.note(frames=frames, at_s=at_s, lost=dropped > 0)

    def _show(self, fault: Text | None) -> None:
        if fault is None:
            _log.info("card_running", device=self._device.name, card=self._device.match)
        self._shown = fault
        self._report = replace(self._report, running=fault is None)
        for seat in self._seats:
            self._on_fault(seat.seat, fault)


_REASONS: dict[Reason | Trouble, Text] = {
    Reason.ABSENT: Text(
        "見つかりません。差し込みと電源、設定の match を確認してください。",
        "is not there. Check its plug and power, and `match` in the settings.",
    ),
    Reason.AMBIGUOUS: Text(
        "に当てはまる機器が2つ以上あります。設定の match をもっと詳しくしてください。",
        "fits several devices. Make `match` in the settings longer.",
    ),
    Reason.REFUSED: Text(
        "を開けません。チャンネル数・サンプリング周波数の設定と、ほかのプログラムが使っていないかを確認してください。",
        "cannot be opened. Check channels and rate in the settings, and that no other program uses it.",
    ),
    Trouble.SILENT: Text(
        "から音声が届きません。差し込みと電源を確認してください。自動で再接続を試みています。",
        "delivers no audio. Check its plug and power; it is being reopened.",
    ),
    Trouble.TOO_FEW: Text(
        "の音声が足りません。サンプリング周波数の設定と機器の負荷を確認してください。",
        "delivers too little audio. Check the rate in the settings and the load of the box.",
    ),
    Trouble.TOO_MANY: Text(
        "の音声が多すぎます。サンプリング周波数の設定を確認してください。",
        "delivers too much audio. Check the rate in the settings.",
    ),
    Trouble.ENDED: Text(
        "の読み取りが止まりました。自動で再開を試みています。",
        "stopped being read. It is being reopened.",
    ),
}


def _fault(device: Device, why: Reason | Trouble, detail: str = "") -> Text:
    said = _REASONS[why]
    more = f"（{detail}）" if detail else ""
    more_en = f" ({detail})" if detail else ""
    return Text(
        f"サウンドカード {device.name}「{device.match}」{said.ja}{more}",
        f"Sound card {device.name} {device.match!r} {said.en}{more_en}",
    )
