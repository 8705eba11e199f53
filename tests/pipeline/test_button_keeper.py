"""From contacts and messages to presses that are kept: lit first, told from memory when the disk is full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.button import Effect, Trouble
from edge_agent.domain.call import LineState
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.press import Edge, Gesture, Timing
from edge_agent.errors import StoreError, Text
from edge_agent.pipeline.button_health import ButtonHealth
from edge_agent.pipeline.button_keeper import RETRY_S, STUCK, ButtonKeeper
from edge_agent.ports import ButtonPressed, ButtonSeen, ContactChanged, ContactFound
from edge_agent.services.buttons import begin_test, overview, press_id_of
from edge_agent.settings import Seat, Settings
from edge_agent.settings_buttons import Button
from edge_agent.store import audit, buttons, incidents, live, outbox, pauses
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.live import LineStatus
from tests.builders import BOX, START, after
from tests.fakes import Moments, StandingClock

BUTTONS = (
    Button(name="desk-01", seat="01", kind="gpio", chip="sim", line=1),
    Button(name="button-02", seat="02", kind="mqtt"),
    Button(name="card-01", seat="01", kind="mqtt", does="pause"),
)
SEATS = tuple(Seat(seat=seat, label_ja=seat, label_en=seat, device="tap") for seat in ("01", "02"))
FULL = StoreError(Text("満杯", "full"), Text("空ける", "make room"))


class SeenLights:
    """Remembers in which order it was told what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def called(self, seat: str) -> None:
        self.told.append(("called", seat))

    def settled(self, seat: str) -> None:
        self.told.append(("settled", seat))

    def tested(self, seat: str) -> None:
        self.told.append(("tested", seat))


class Desk:
    """A keeper on real databases; the disk may be full, and time passes when told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = open_main(folder)
        self.now = open_live(folder)
        self.lights = SeenLights()
        self.clock = StandingClock(START)
        self.unstored: list[tuple[str, str]] = []
        self.full = False
        self.monotonic_s = 100.0
        self.keeper = ButtonKeeper(
            box=BOX,
            buttons=BUTTONS,
            timing=Timing(debounce_s=0.02, long_s=1.0, hold_s=3.0),
            clock=self.clock,
            lights=self.lights,
            open_main=self._open,
            open_live=lambda: open_live(folder),
            send_unstored=lambda topic, payload: self.unstored.append((topic, payload)),
            clock_s=lambda: self.monotonic_s,
        )

    def _open(self) -> Database:
        if self.full:
            raise FULL
        return open_main(self.folder)

    def wait(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.clock.move(seconds)
        self.keeper.tell(ButtonSeen(button="button-02"))
        self.keeper.step()

    def edge(self, *, pressed: bool) -> None:
        self.keeper.tell(ContactChanged(button="desk-01", edge=Edge(pressed=pressed, at_s=self.monotonic_s)))
        self.keeper.step()

    def press(self, held_s: float = 0.2) -> None:
        self.edge(pressed=True)
        self.wait(held_s)
        self.edge(pressed=False)
        self.wait(0.05)

    def told(
        self, gesture: Gesture, number: str | None = None, age_s: float = 0.0, *, button: str = "button-02"
    ) -> None:
        self.keeper.tell(ButtonPressed(button=button, gesture=gesture, told=number, age_s=age_s))
        self.keeper.step()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.keeper.run(Moments())  # type: ignore[arg-type]
    made.db.close()
    made.now.close()


def test_a_short_press_is_lit_before_it_is_kept(desk: Desk) -> None:
    desk.press()
    assert desk.lights.told == [("called", "01"), ("settled", "01")]
    [call] = incidents.calls_for_help(desk.db)
    assert (call.alert.seat, call.state) == ("01", IncidentState.OPEN)


def test_an_emergency_is_kept_while_the_button_is_still_held(desk: Desk) -> None:
    desk.edge(pressed=True)
    desk.wait(3.0)
    [call] = incidents.calls_for_help(desk.db)
    assert call.alert.criterion == "button-emergency"
    desk.edge(pressed=False)
    desk.wait(1.0)
    assert buttons.count_presses(desk.db) == 1


def test_a_withdrawal_lights_nothing(desk: Desk) -> None:
    desk.press()
    desk.lights.told.clear()
    desk.press(held_s=1.5)
    assert desk.lights.told == [("settled", "01")]
    assert incidents.calls_for_help(desk.db) == []


def test_a_button_found_pressed_at_the_start_calls_when_released(desk: Desk) -> None:
    desk.keeper.tell(ContactFound(button="desk-01", pressed=True, at_s=desk.monotonic_s))
    desk.keeper.step()
    desk.wait(30.0)
    assert buttons.count_presses(desk.db) == 0
    desk.edge(pressed=False)
    desk.wait(0.05)
    assert len(incidents.calls_for_help(desk.db)) == 1


def test_a_message_repeated_by_the_network_is_one_press(desk: Desk) -> None:
    for _ in range(3):
        desk.told(Gesture.HELP, "9-1")
    desk.told(Gesture.WITHDRAW, "9-2")
    desk.told(Gesture.HELP, "9-1")
    assert buttons.count_presses(desk.db) == 2
    assert incidents.calls_for_help(desk.db) == []
    assert buttons.newest_press(desk.db, "button-02") == (press_id_of("button-02", "9-2"), "9-2")


def test_presses_that_are_not_numbered_are_each_kept(desk: Desk) -> None:
    desk.told(Gesture.HELP)
    desk.told(Gesture.HELP)
    assert buttons.count_presses(desk.db) == 2


def test_a_press_that_was_long_on_its_way_is_dated_when_it_was_made(desk: Desk) -> None:
    desk.told(Gesture.HELP, "9-1", age_s=600.0)
    [call] = incidents.calls_for_help(desk.db)
    assert call.opened_at == after(-600)


def test_the_call_under_way_goes_with_the_alert(desk: Desk) -> None:
    with writing(desk.now):
        live.put_line(desk.now, LineStatus(seat="01", state=LineState.IDLE).in_call("call-9", START))
    desk.press()
    [call] = incidents.calls_for_help(desk.db)
    assert call.alert.call_id == "call-9"


def test_a_full_disk_keeps_nobody_from_being_called(desk: Desk) -> None:
    desk.full = True
    desk.press()
    assert desk.lights.told == [("called", "01")]
    [(topic, payload)] = desk.unstored
    assert (json.loads(payload)["kind"], json.loads(payload)["change"]) == ("help", "new")
    assert desk.keeper.unwritten == 1
    desk.full = False
    desk.wait(RETRY_S)
    [call] = incidents.calls_for_help(desk.db)
    assert topic.endswith(call.incident_id)
    assert (desk.keeper.unwritten, desk.lights.told[-1]) == (0, ("settled", "01"))


def test_what_was_pressed_while_the_disk_was_full_is_kept_in_its_order(desk: Desk) -> None:
    desk.full = True
    desk.press()
    desk.press(held_s=1.5)
    assert len(desk.unstored) == 1
    desk.full = False
    desk.wait(RETRY_S)
    assert incidents.calls_for_help(desk.db) == []
    [withdrawn] = incidents.recent(desk.db, 5)
    assert withdrawn.state is IncidentState.WITHDRAWN


def test_a_press_while_earlier_ones_wait_does_not_overtake_them(desk: Desk) -> None:
    desk.full = True
    desk.press()
    desk.full = False
    desk.keeper._retry_at = desk.monotonic_s + 100
    desk.press(held_s=1.5)
    assert desk.keeper.unwritten == 2
    desk.wait(200)
    assert [i.state for i in incidents.recent(desk.db, 5)] == [IncidentState.WITHDRAWN]


def test_a_stuck_button_is_a_fault_until_it_is_released(desk: Desk) -> None:
    desk.edge(pressed=True)
    desk.wait(61.0)
    state = buttons.find(desk.db, "desk-01")
    assert state is not None
    assert state.fault == STUCK
    desk.edge(pressed=False)
    desk.wait(0.1)
    state = buttons.find(desk.db, "desk-01")
    assert state is not None
    assert state.fault is None


def test_a_test_is_shown_by_the_light(desk: Desk) -> None:
    settings = Settings(seats=SEATS, buttons=BUTTONS)
    begin_test(desk.db, ["desk-01"], settings=settings, by="sato", now=desk.clock.now())
    desk.press()
    assert ("tested", "01") in desk.lights.told
    assert outbox.unsent(desk.db) == []
    assert buttons.effect_of(desk.db, buttons.newest_press(desk.db, "desk-01")[0]) is Effect.TESTED


def test_a_button_the_settings_do_not_name_is_counted(desk: Desk) -> None:
    desk.keeper.tell(ButtonPressed(button="stranger", gesture=Gesture.HELP))
    desk.keeper.step()
    assert desk.keeper.unknown == 1
    assert buttons.count_presses(desk.db) == 0


def test_the_heartbeat_names_buttons_in_trouble(desk: Desk) -> None:
    desk.told(Gesture.HELP)
    health = ButtonHealth(
        settings=Settings(seats=SEATS, buttons=BUTTONS),
        keeper=desk.keeper,
        clock=desk.clock,
        open_database=lambda: open_main(desk.folder),
    )
    health._look(desk.db)
    report = health.report()
    assert report["troubles"]["desk-01"] == [Trouble.UNTESTED.value]
    assert "button-02" not in report["troubles"]
    assert (report["buttons"], report["unwritten"], report["unknown"]) == (3, 0, 0)


def test_a_pause_button_begins_and_ends_a_pause_and_calls_nobody(desk: Desk) -> None:
    desk.told(Gesture.HELP, "1", button="card-01")
    [pause] = pauses.everything(desk.db)
    assert (pause.seat, pause.by) == ("01", "button:card-01")
    desk.told(Gesture.HELP, "1", button="card-01")
    assert len(pauses.everything(desk.db)) == 1, "a repeated message does not end it"
    desk.told(Gesture.HELP, "2", button="card-01")
    assert pauses.everything(desk.db) == []
    assert incidents.calls_for_help(desk.db) == []
    assert desk.lights.told == []


def test_a_press_from_before_an_outage_begins_no_pause_and_the_button_need_not_repeat_it(desk: Desk) -> None:
    desk.told(Gesture.HELP, "1", age_s=60.0, button="card-01")
    assert pauses.everything(desk.db) == []
    assert buttons.newest_press(desk.db, "card-01") == (press_id_of("card-01", "1"), "1")


def test_a_pause_button_that_is_used_is_tested(desk: Desk) -> None:
    settings = Settings(seats=SEATS, buttons=BUTTONS)
    assert troubles_of(desk, settings)["card-01"] == (Trouble.SILENT, Trouble.UNTESTED)
    desk.told(Gesture.HELP, "1", button="card-01")
    assert troubles_of(desk, settings)["card-01"] == ()
    desk.clock.move(86_401)
    assert troubles_of(desk, settings)["card-01"] == (Trouble.SILENT, Trouble.UNTESTED)


def test_a_test_of_a_pause_button_between_calls_pauses_nothing(desk: Desk) -> None:
    begin_test(desk.db, ["card-01"], settings=Settings(seats=SEATS, buttons=BUTTONS), by="sato", now=desk.clock.now())
    desk.told(Gesture.HELP, "1", button="card-01")
    assert pauses.everything(desk.db) == []
    assert desk.lights.told == [("tested", "01")]
    state = buttons.find(desk.db, "card-01")
    assert state is not None
    assert (state.tested_at, state.test_until) == (desk.clock.now(), None)
    assert [entry.action for entry in audit.of(desk.db, "card-01")] == ["button.test_begun", "button.tested"]
    desk.told(Gesture.HELP, "2", button="card-01")
    assert len(pauses.everything(desk.db)) == 1, "the next press is none"


def test_in_a_call_no_number_is_heard_because_somebody_tests_buttons(desk: Desk) -> None:
    with writing(desk.now):
        live.put_line(desk.now, LineStatus(seat="01", state=LineState.IDLE).in_call("call-9", START))
    begin_test(desk.db, ["card-01"], settings=Settings(seats=SEATS, buttons=BUTTONS), by="sato", now=desk.clock.now())
    desk.told(Gesture.HELP, "1", button="card-01")
    [pause] = pauses.everything(desk.db)
    assert pause.call_id == "call-9"
    state = buttons.find(desk.db, "card-01")
    assert state is not None
    assert state.tested_at == desk.clock.now()


def test_a_pause_that_cannot_be_written_does_not_hold_until_the_button_repeats_it(desk: Desk) -> None:
    desk.full = True
    desk.told(Gesture.HELP, "1", button="card-01")
    assert pauses.everything(desk.db) == []
    desk.full = False
    desk.told(Gesture.HELP, "1", age_s=2.0, button="card-01")
    assert len(pauses.everything(desk.db)) == 1


def troubles_of(desk: Desk, settings: Settings) -> dict[str, tuple[Trouble, ...]]:
    return {r.button.name: r.troubles for r in overview(desk.db, settings=settings, now=desk.clock.now())}


def test_holding_a_pause_button_is_an_emergency_all_the_same(desk: Desk) -> None:
    desk.told(Gesture.EMERGENCY, "1", button="card-01")
    [call] = incidents.calls_for_help(desk.db)
    assert call.alert.criterion == "button-emergency"


def test_a_help_button_works_in_a_pause(desk: Desk) -> None:
    desk.told(Gesture.HELP, "1", button="card-01")
    desk.press()
    assert len(incidents.calls_for_help(desk.db)) == 1
    assert len(pauses.everything(desk.db)) == 1
