"""A customer says a card number: in a pause it is nowhere afterwards, and without one the same search finds it.

The call with the pause is announced, and the pause asked for, by an integration, over HTTP and on the broker. The
caller's number is nowhere either.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_agent import settings as settings_module
from edge_agent.provision import demo
from edge_agent.store import audit, live
from edge_agent.store.database import Database, open_live, open_main
from tests.journeys.floor import RunningFloor, until
from tests.journeys.memory import held
from tests.journeys.pbx import Pbx

pytestmark = pytest.mark.journey

RECORDING = Path(__file__).parents[1] / "recordings/pause/card-number.flac"
RATE = 16_000
START_S = 40.0
"""When the call begins after the card does: the appliance has to be up by then on a busy machine."""
PAUSE = (9.0, 21.5)
"""Seconds of the call during which the pause holds; the number is said from 13.0 to 20.0: a slow machine is in time."""
SAID = (13.3, 19.7)
HALVES = ("四二四二一一二三", "五八一三二一三四")
AFTERWARDS = "水曜日の午後に"
CALLER = "090-1234-5678"
WINDOW = 64
"""Samples of a piece of the recording that is looked for: 4 ms, which no two pieces of speech have in common."""


class CardFloor(RunningFloor):
    """One seat whose card delivers what recognition takes, so that its samples are in memory bit by bit."""

    def __init__(self, folder: Path) -> None:
        # The search takes its time on a busy machine: a call whose end is announced must not fade meanwhile.
        extra = "[calls]\nannounced_silence_s = 3600\n"
        super().__init__(folder, [demo.Placed(start_s=0.0, seat=1, call="order-calm")], length_s=1.0, extra=extra)
        said, rate = soundfile.read(RECORDING, dtype="int16", always_2d=True)
        assert rate == RATE
        silence = np.zeros((int(START_S * RATE), 2), np.int16)
        self.recording = np.concatenate((silence, said, silence))
        self.recording.tofile(folder / "alsa/floor.raw")
        before, self.epoch = self.epoch, time.time()
        replace(self.alsa, f"rate {demo.RATE}", f"rate {RATE}")
        replace(self.alsa, f"epoch {before:.3f}", f"epoch {self.epoch:.3f}")
        replace(self.settings_file, f"rate = {demo.RATE}", f"rate = {RATE}")
        self.settings = settings_module.load(self.settings_file)

    def wait_for(self, call_s: float) -> None:
        until(lambda: time.time() >= self.epoch + START_S + call_s, within_s=120, what=f"second {call_s} of the call")

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

    def words(self, db: Database) -> str:
        return "".join(words.text for words in live.words(db, self.call_id(db)))

    def call_id(self, db: Database) -> str:
        [line] = live.lines(db)
        return line.call_id or ""


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
    files = [file for file in folder.rglob("*") if file.is_file() and "alsa" not in file.relative_to(folder).parts]
    assert {"mamori.db", "live.db", "live.db-wal", "output.txt"} <= {file.name for file in files}
    return {file.name for file in files for data in [file.read_bytes()] if any(needle in data for needle in needles)}


@pytest.mark.parametrize("paused", [False, True], ids=["without a pause", "in a pause"])
def test_a_card_number_is_nowhere_after_a_pause(tmp_path: Path, *, paused: bool) -> None:
    floor = CardFloor(tmp_path)
    pieces, text = floor.pieces(), texts()
    floor.start()
    main, now = open_main(floor.settings.data), open_live(floor.settings.run)
    panel = floor.panel()
    try:
        if paused:
            pbx = Pbx(floor)
            told = pbx.http("01/call", event="started", caller=CALLER)
            assert told["listening"]
            until(lambda: floor.call_id(now) == told["call"], within_s=20.0, what="the announced call to be the line's")
            until(lambda: panel.of(seat="01", state="in_call"), within_s=20.0, what="the call to be told to panels")
        floor.wait_for(PAUSE[0])
        assert floor.call_id(now), "the call is heard before the number is said"
        if paused:
            assert pbx.http("01/pause", event="started")["paused_until"]
            until(
                lambda: any(message.get("paused_since") for _, message in panel.of(seat="01")),
                within_s=15.0,
                what="the pause to be told",
            )
        floor.wait_for(PAUSE[1])
        if paused:
            assert pbx.mqtt("01", ask="pause", event="ended")["seat"]["paused_until"] is None
        until(lambda: AFTERWARDS in floor.words(now), within_s=60, what="the words after the number")
        # The files first: when the call ends, soon after, its words are forgotten.
        found: dict[str, object] = {
            "text on disk": on_disk(tmp_path, text),
            "samples on disk": on_disk(tmp_path, pieces),
            "heard": any(half in floor.words(now) for half in HALVES),
            "text over MQTT": any(half in str(message) for _, message in list(panel.messages) for half in HALVES),
        }
        agent, web, buttons = (floor.child(name).pid for name in ("agent", "web_ui", "edge_agent.button_daemon"))
        found |= {
            "samples in the agent": bool(held(agent, pieces)),
            "text in the agent": bool(held(agent, text)),
            "text in the pages": bool(held(web, text)),
            "anything in the buttons": bool(held(buttons, [*pieces, *text])),
        }
        if paused:
            assert pbx.http("01")["call"] == floor.call_id(now), "the announced call lasts until its end is announced"
            assert pbx.mqtt("01", ask="call", event="ended")["seat"]["call"] is None
            until(lambda: not floor.call_id(now), within_s=20.0, what="the call to end as announced")
            again = pbx.mqtt("01", ask="call", event="started", caller=CALLER)["seat"]["call"]
            until(lambda: floor.call_id(now) == again, within_s=20.0, what="a call told on the broker to be the line's")
            assert not on_disk(tmp_path, forms_of(CALLER))
            assert not [message for _, message in list(panel.messages) if CALLER in str(message)]
            assert not any(found.values()), found
            told = [(entry.action, entry.actor) for entry in audit.of(main, "01")]
            assert told == [("pause.began", "integration:pbx"), ("pause.ended", "integration:pbx")]
        else:
            # The same search, so that it is known to find what is there.
            assert found["samples in the agent"], found
            assert found["text in the agent"], found
            assert found["text in the pages"], found
            assert found["text on disk"], found
            assert found["heard"], found
            assert not found["samples on disk"], "no audio is written, pause or not"
    finally:
        panel.close()
        main.close()
        now.close()
        floor.stop()
