"""A customer says a card number: in a pause it is nowhere afterwards, and without one the same search finds it.

The call with the pause is announced, and the pause asked for, by an integration, over HTTP and on the broker. The
caller's number is nowhere either.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_agent import settings as settings_module
from edge_agent.domain.call import LineState
from edge_agent.provision import demo
from edge_agent.store import audit, live
from edge_agent.store.database import Database, open_live, open_main
from tests.journeys.floor import Panel, RunningFloor, until
from tests.journeys.memory import held
from tests.journeys.pbx import Pbx

pytestmark = [pytest.mark.journey, pytest.mark.alone]

RECORDING = Path(__file__).parents[1] / "recordings/pause/card-number.flac"
RATE = 16_000
START_S = 8.0
"""Silence of the card before the call: what is announced has to be told to panels by then on a busy machine."""
PAUSE = (8.0, 21.5)
"""Seconds of the call during which the pause holds; the number is said from 13.0 to 20.0: a slow machine is in time."""
SAID = (13.3, 19.7)
HALVES = ("四二四二一一二三", "五八一三二一三四")
AFTERWARDS = "水曜日の午後に"
CALLER = "090-1234-5678"
WINDOW = 64
"""Samples of a piece of the recording that is looked for: 4 ms, which no two pieces of speech have in common."""


class CardFloor(RunningFloor):
    """One seat whose card delivers what recognition takes, so that its samples are in memory bit by bit.

    The card is put in when everything runs, and plays its recording from the beginning each time it is.
    """

    began_s = 0.0
    """When the card was heard for the first time since it was put in, Unix time."""

    def __init__(self, folder: Path) -> None:
        # The search takes its time on a busy machine: a call whose end is announced must not fade meanwhile.
        extra = "[calls]\nannounced_silence_s = 3600\n"
        super().__init__(folder, [demo.Placed(start_s=0.0, seat=1, call="order-calm")], length_s=1.0, extra=extra)
        said, rate = soundfile.read(RECORDING, dtype="int16", always_2d=True)
        assert rate == RATE
        self.recording = np.concatenate((np.zeros((int(START_S * RATE), 2), np.int16), said))
        self.recording.tofile(folder / "alsa/floor.raw")
        replace(self.alsa, f"rate {demo.RATE}", f"rate {RATE}")
        replace(self.alsa, f"    epoch {self.epoch:.3f}\n", "")
        replace(self.settings_file, f"rate = {demo.RATE}", f"rate = {RATE}")
        self.settings = settings_module.load(self.settings_file)
        self.card_control.write_text("gone")

    def put_card_in(self, db: Database) -> None:
        until(lambda: line_of(db).state is LineState.FAULT, what="the card to be missed")
        self.card_control.unlink()
        until(lambda: line_of(db).state is not LineState.FAULT, what="the card to be heard")
        self.began_s = time.time()

    def pull_card_out(self) -> None:
        self.card_control.write_text("gone")

    def call_s(self) -> float:
        """Return the second of the call."""
        return time.time() - self.began_s - START_S

    def wait_for(self, call_s: float) -> None:
        until(lambda: self.call_s() >= call_s, within_s=120, what=f"second {call_s} of the call")

    def pieces(self) -> list[bytes]:
        """Return pieces of what the customer said, alone and as the card delivers them with the other side."""
        found = []
        for second in np.arange(*SAID, 0.2):
            at = int((START_S + second) * RATE)
            both = self.recording[at : at + WINDOW]
            if np.abs(both[:, 0]).mean() > 300:  # a pause between two figures is like any other silence
                found += [both[:, 0].tobytes(), both.tobytes()]
        assert len(found) > 20
        return found


def line_of(db: Database) -> live.LineStatus:
    [line] = live.lines(db)
    return line


def call_id(db: Database) -> str:
    return line_of(db).call_id or ""


def words(db: Database) -> str:
    return "".join(words.text for words in live.words(db, call_id(db)))


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def texts() -> list[bytes]:
    """Return the number as programs keep it: as it is written, in a string of Python, and in Vosk's answer."""
    spaced = [" ".join(half) for half in HALVES]
    escaped = [json.dumps(half).strip('"').encode() for half in HALVES]
    whole = [*HALVES, *spaced]
    return [text.encode() for text in whole] + [text.encode("utf-16-le") for text in whole] + escaped


def forms_of(number: str) -> list[bytes]:
    """Return a number as it is told, as it is dialled, and as it is written abroad."""
    return [form.encode() for form in (number, number.replace("-", ""), "+81" + number.replace("-", "")[1:])]


def on_disk(folder: Path, needles: Sequence[bytes]) -> set[str]:
    """Return the files the appliance has written, the databases' logs and its output among them, that hold a needle."""
    while True:
        files = [f for f in folder.rglob("*") if f.is_file() and "alsa" not in f.relative_to(folder).parts]
        assert {"mamori.db", "live.db", "live.db-wal", "output.txt"} <= {file.name for file in files}
        try:
            return {file.name for file in files if holds(file.read_bytes(), needles)}
        except FileNotFoundError:
            # The broker has put a new file in the place of its old one: all of them are looked at again.
            continue


def holds(data: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in data for needle in needles)


@dataclass(frozen=True)
class Scene:
    """A floor whose call is announced by a telephone system, and what is looked for."""

    floor: CardFloor
    pbx: Pbx
    panel: Panel
    now: Database
    pieces: list[bytes]
    text: list[bytes]

    def begin_call(self) -> None:
        """Put the card in and announce the call before anybody speaks."""
        self.floor.put_card_in(self.now)
        told = self.pbx.http("01/call", event="started", caller=CALLER)
        assert told["listening"]
        until(lambda: call_id(self.now) == told["call"], within_s=20.0, what="the announced call to be the line's")

    def search(self) -> dict[str, bool]:
        """Look for the number everywhere, when what was said after it has been heard."""
        until(lambda: AFTERWARDS in words(self.now), within_s=60, what="the words after the number")
        children = (self.floor.child(name).pid for name in ("agent", "web_ui", "edge_agent.button_daemon"))
        agent, web, buttons = children
        return {
            "text on disk": bool(on_disk(self.floor.folder, self.text)),
            "samples on disk": bool(on_disk(self.floor.folder, self.pieces)),
            "heard": any(half in words(self.now) for half in HALVES),
            "text over MQTT": any(half in str(message) for _, message in list(self.panel.messages) for half in HALVES),
            "samples in the agent": bool(held(agent, self.pieces)),
            "text in the agent": bool(held(agent, self.text)),
            "text in the pages": bool(held(web, self.text)),
            "anything in the buttons": bool(held(buttons, [*self.pieces, *self.text])),
        }


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    floor = CardFloor(tmp_path)
    floor.start()
    with ExitStack() as stack:
        stack.callback(floor.stop)
        panel = floor.panel()
        stack.callback(panel.close)
        now = stack.enter_context(closing(open_live(floor.settings.run)))
        yield Scene(floor=floor, pbx=Pbx(floor), panel=panel, now=now, pieces=floor.pieces(), text=texts())


def test_a_card_number_is_nowhere_after_a_pause(scene: Scene, tmp_path: Path) -> None:
    floor, pbx, panel, now = scene.floor, scene.pbx, scene.panel, scene.now
    scene.begin_call()
    until(lambda: panel.of(seat="01", state="in_call"), within_s=20.0, what="the call to be told to panels")
    floor.wait_for(PAUSE[0])
    assert call_id(now), "the call is heard before the number is said"
    assert pbx.http("01/pause", event="started")["paused_until"]
    until(
        lambda: any(message.get("paused_since") for _, message in panel.of(seat="01")),
        within_s=15.0,
        what="the pause to be told",
    )
    assert floor.call_s() < SAID[0], "this machine is too slow: the number was said before the pause"
    floor.wait_for(PAUSE[1])
    assert pbx.mqtt("01", ask="pause", event="ended")["seat"]["paused_until"] is None
    found = scene.search()
    assert not any(found.values()), found

    assert pbx.http("01")["call"] == call_id(now), "the announced call lasts until its end is announced"
    assert pbx.mqtt("01", ask="call", event="ended")["seat"]["call"] is None
    until(lambda: not call_id(now), within_s=20.0, what="the call to end as announced")
    again = pbx.mqtt("01", ask="call", event="started", caller=CALLER)["seat"]["call"]
    until(lambda: call_id(now) == again, within_s=20.0, what="a call told on the broker to be the line's")
    assert not on_disk(tmp_path, forms_of(CALLER))
    assert not [message for _, message in list(panel.messages) if CALLER in str(message)]
    with closing(open_main(floor.settings.data)) as main:
        told = [(entry.action, entry.actor) for entry in audit.of(main, "01")]
    assert told == [("pause.began", "integration:pbx"), ("pause.ended", "integration:pbx")]

    # The same call without a pause and the same search, so that it is known to find what is there.
    pbx.http("01/call", event="ended")
    until(lambda: not call_id(now), within_s=20.0, what="the call to end as announced")
    floor.pull_card_out()
    scene.begin_call()
    found = scene.search()
    assert found["samples in the agent"], found
    assert found["text in the agent"], found
    assert found["text in the pages"], found
    assert found["text on disk"], found
    assert found["heard"], found
    assert not found["samples on disk"], "no audio is written, pause or not"
