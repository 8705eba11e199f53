"""The lights: on at once, then as the database says, and right again after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.button import PATTERNS, LightState, Press
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.pipeline.button_lights import TESTED_S, ButtonLights
from edge_agent.services import buttons as services
from edge_agent.services import incidents as moves
from edge_agent.services import topics
from edge_agent.settings_buttons import Button
from edge_agent.store import outbox
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, after
from tests.fakes import Moments, StandingClock
from tests.messages import wrong

BUTTONS = (
    Button(name="desk-01", seat="01", kind="gpio", chip="sim", line=1, light_line=2),
    Button(name="button-02", seat="02", kind="mqtt"),
)


class Bulb:
    """A light that remembers how it was switched."""

    def __init__(self) -> None:
        self.switched: list[bool] = []

    def show(self, *, on: bool) -> None:
        self.switched.append(on)

    @property
    def on(self) -> bool:
        return bool(self.switched) and self.switched[-1]


class Floor:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = open_main(folder)
        self.db = open_main(folder)
        self.at_s = 1000.0
        self.shown: list[tuple[str, dict[str, object]]] = []
        self.restart()

    def restart(self) -> None:
        self.bulb, self.lamp = Bulb(), Bulb()
        self.lights = ButtonLights(
            box=BOX,
            buttons=BUTTONS,
            lights={"desk-01": self.bulb},
            lamp=self.lamp,
            clock=StandingClock(START),
            show_state=self._show,
            open_database=lambda: open_main(self.folder),
            clock_s=lambda: self.at_s,
        )

    def _show(self, topic: str, payload: str) -> None:
        assert wrong(topic, payload) == []
        self.shown.append((topic, json.loads(payload)))

    def press(self, seat: str = "01", number: int = 1, gesture: Gesture = Gesture.HELP, told: str = "") -> None:
        name = {"01": "desk-01", "02": "button-02"}[seat]
        pressed = Press(
            press_id=f"press-{number}",
            button=name,
            seat=seat,
            gesture=gesture,
            source=PressSource.GPIO,
            at=START,
            told=told,
        )
        services.press(self.writer, pressed, box=BOX, call_id="", now=START)

    def duty(self) -> float:
        """Return the share of a second in which the button's light is on."""
        on = 0
        for _ in range(20):
            self.at_s += 0.05
            self.lights.step(self.db)
            on += self.bulb.on
        return on / 20


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.writer.close()
    made.db.close()


def test_a_press_lights_the_lamp_before_anything_is_written(floor: Floor) -> None:
    floor.at_s = 1000.0
    floor.lights.called("01")
    assert floor.lamp.on
    assert floor.bulb.on


def test_the_lamp_stays_lit_between_the_press_and_the_database(floor: Floor) -> None:
    floor.lights.step(floor.db)
    floor.lights.called("01")
    floor.press()
    floor.lights.settled("01")
    floor.lights.step(floor.db)
    assert floor.lamp.switched == [False, True]


def test_the_light_shows_how_far_the_call_has_come(floor: Floor) -> None:
    shares = [floor.duty()]
    floor.press()
    shares.append(floor.duty())
    with writing(floor.writer):
        outbox.mark_sent(floor.writer, outbox.unsent(floor.writer)[0].row_id, now=after(1))
    shares.append(floor.duty())
    moves.note_receipt(floor.writer, alert_id="press-1", panel="p", kind="delivered", box=BOX, now=after(1))
    shares.append(floor.duty())
    moves.acknowledge(floor.writer, "press-1", box=BOX, by="sato", now=after(2))
    shares.append(floor.duty())
    moves.close(floor.writer, "press-1", box=BOX, by="sato", now=after(9))
    shares.append(floor.duty())
    assert shares == pytest.approx([0.0, 0.1, 0.5, 0.9, 1.0, 0.0], abs=0.051)


def test_the_lamp_goes_out_when_somebody_answers(floor: Floor) -> None:
    floor.press()
    floor.lights.step(floor.db)
    assert floor.lamp.on
    moves.take(floor.writer, "press-1", box=BOX, by="sato", now=after(2))
    floor.lights.step(floor.db)
    assert not floor.lamp.on


def test_a_call_is_still_shown_after_a_restart(floor: Floor) -> None:
    floor.press()
    floor.restart()
    floor.lights.step(floor.db)
    assert floor.lamp.on


def test_a_test_is_steady_light_for_two_seconds(floor: Floor) -> None:
    floor.lights.tested("01")
    floor.lights.step(floor.db)
    assert floor.bulb.on
    floor.at_s += TESTED_S
    floor.lights.step(floor.db)
    assert not floor.bulb.on


def test_a_button_on_the_network_is_told_its_light_and_which_press_was_kept(floor: Floor) -> None:
    floor.lights.step(floor.db)
    floor.press("02", told="9-1")
    floor.lights.step(floor.db)
    floor.lights.step(floor.db)
    assert [(topic, m["state"], m["told"]) for topic, m in floor.shown] == [
        (topics.button_light(BOX, "button-02"), "off", ""),
        (topics.button_light(BOX, "button-02"), "kept", "9-1"),
    ]
    assert floor.shown[-1][1]["pattern_ms"] == list(PATTERNS[LightState.KEPT])


def test_a_press_that_changes_nothing_is_answered_too(floor: Floor) -> None:
    floor.press("02", gesture=Gesture.WITHDRAW, told="9-1")
    floor.lights.step(floor.db)
    assert (floor.shown[-1][1]["state"], floor.shown[-1][1]["told"]) == ("off", "9-1")


def test_a_database_that_cannot_be_read_keeps_no_lamp_from_being_lit(floor: Floor) -> None:
    broken = Database(floor.folder / "empty.db")
    floor.lights.step(broken)
    floor.lights.called("01")
    assert floor.lamp.on
    broken.close()


def test_all_is_dark_when_the_process_stops(floor: Floor) -> None:
    floor.press()
    floor.lights.run(Moments(lambda: None, lambda: None, lambda: None))  # type: ignore[arg-type]
    assert True in floor.lamp.switched
    assert not floor.lamp.on
    assert not floor.bulb.on
