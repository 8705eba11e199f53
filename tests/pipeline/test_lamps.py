"""Lamps follow the floor, are told again after a power cut, and hold up nobody when they are gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.domain.call import LineState
from edge_agent.domain.incident import Incident
from edge_agent.domain.lamp import CALM, OFF, Colour, LampState, Pattern
from edge_agent.errors import Text
from edge_agent.pipeline.lamps import AGAIN_S, FAILURES, RETRY_S, LampBoard, LampPresence, LampWorker
from edge_agent.ports import Arrived
from edge_agent.services import incidents, topics
from edge_agent.services.escalation import escalate
from edge_agent.services.lamps import unreachable
from edge_agent.settings_lamps import Lamp
from edge_agent.store import lamps, live
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.live import LineStatus
from tests.builders import BOX, START, a_policy, after, an_alert, an_incident
from tests.fakes import Moments

RED = LampState(colour=Colour.RED, pattern=Pattern.SLOW)


class ToyLamp:
    """Shows what it is told unless it is unplugged."""

    def __init__(self) -> None:
        self.unplugged = False
        self.told: list[LampState] = []

    @property
    def shows(self) -> LampState | None:
        return self.told[-1] if self.told else None

    def show(self, state: LampState) -> None:
        if self.unplugged:
            raise unreachable("10.0.0.9:80", "gone")
        self.told.append(state)


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lamp() -> ToyLamp:
    return ToyLamp()


@pytest.fixture
def time() -> Seconds:
    return Seconds()


@pytest.fixture
def worker(lamp: ToyLamp, time: Seconds) -> LampWorker:
    return LampWorker("tower-1", lamp, monotonic=time)


def test_a_state_is_told_once_and_again_after_a_while(worker: LampWorker, lamp: ToyLamp, time: Seconds) -> None:
    worker.step()
    assert lamp.told == []
    worker.want(CALM)
    worker.step()
    worker.step()
    assert lamp.told == [CALM]
    time.now += AGAIN_S
    worker.step()
    assert lamp.told == [CALM, CALM]
    worker.want(RED)
    worker.step()
    assert lamp.shows == RED


def test_a_lamp_that_is_gone_is_a_fault_after_two_attempts_and_shows_the_newest_state_when_it_is_back(
    worker: LampWorker, lamp: ToyLamp, time: Seconds
) -> None:
    lamp.unplugged = True
    worker.want(CALM)
    for _ in range(FAILURES):
        assert worker.fault is None
        worker.step()
        time.now += RETRY_S
    assert worker.fault is not None
    assert "10.0.0.9" in worker.fault.ja
    worker.want(RED)
    lamp.unplugged = False
    worker.step()
    assert lamp.told == [RED]
    assert worker.fault is None


def test_a_lamp_that_is_gone_is_not_asked_more_often_because_the_floor_is_busy(
    worker: LampWorker, lamp: ToyLamp, time: Seconds
) -> None:
    lamp.unplugged = True
    worker.want(CALM)
    worker.step()
    lamp.unplugged = False
    worker.want(RED)
    worker.step()
    assert lamp.told == []
    time.now += RETRY_S
    worker.step()
    assert lamp.told == [RED]


def test_one_lost_packet_is_no_fault(worker: LampWorker, lamp: ToyLamp, time: Seconds) -> None:
    for _ in range(5):
        worker.want(CALM)
        lamp.unplugged = True
        worker.step()
        lamp.unplugged = False
        time.now += AGAIN_S
        worker.step()
        assert worker.fault is None
        time.now += AGAIN_S


def test_a_lamp_goes_dark_when_the_agent_stops_in_order(worker: LampWorker, lamp: ToyLamp) -> None:
    worker.want(CALM)
    stop: threading.Event = Moments(lambda: None)  # type: ignore[assignment]
    worker.run(stop)
    assert lamp.told == [CALM, OFF]


class Floor:
    """Both databases, a tower for the floor and a lamp at seat 02."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main, self.live = open_main(folder / "data"), open_live(folder / "run")
        self.settings = (
            Lamp(name="tower", kind="patlite-http", address="10.0.0.9"),
            Lamp(name="desk-2", kind="esphome", seats=("02",)),
        )
        self.toys = {lamp.name: ToyLamp() for lamp in self.settings}
        self.time = Seconds()
        self.workers = {name: LampWorker(name, toy, monotonic=self.time) for name, toy in self.toys.items()}
        self.unwritten: list[Incident] = []
        self.boards_own: list[Database] = []
        self.board = LampBoard(
            settings=self.settings,
            workers=self.workers,
            open_main=lambda: self._own(open_main(folder / "data")),
            open_live=lambda: self._own(open_live(folder / "run")),
            unwritten=lambda: self.unwritten,
        )
        for seat in ("01", "02"):
            self.line(LineStatus(seat=seat, state=LineState.IDLE))

    def _own(self, database: Database) -> Database:
        self.boards_own.append(database)
        return database

    def line(self, status: LineStatus) -> None:
        with writing(self.live):
            live.put_line(self.live, status)

    def alert(self, alert_id: str = "alert-1", seat: str = "01") -> None:
        incidents.open_incident(self.main, an_alert(alert_id, seat=seat), box=BOX, now=START)

    def passes(self, *moments: Callable[[], object]) -> None:
        """The board looks after each moment; then every lamp's thread does."""

        def turn(moment: Callable[[], object]) -> Callable[[], None]:
            def happen() -> None:
                for worker in self.workers.values():
                    worker.step()
                moment()

            return happen

        stop: threading.Event = Moments(*map(turn, [*moments, lambda: None]))  # type: ignore[assignment]
        self.board.run(stop)
        for worker in self.workers.values():
            worker.step()

    def shows(self) -> tuple[LampState | None, ...]:
        return tuple(toy.shows for toy in self.toys.values())

    def seen(self) -> list[tuple[str, str, bool]]:
        return [(s.name, s.state.colour.value, s.fault is not None) for s in lamps.everything(self.live)]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.main.close()
    made.live.close()


def nothing() -> None:
    """Nothing happens at this moment."""


def test_the_tower_shows_the_floor_and_the_desk_lamp_its_seat(floor: Floor) -> None:
    floor.passes(nothing)
    assert floor.shows() == (CALM, CALM)
    floor.passes(floor.alert)
    assert floor.shows() == (RED, CALM)
    assert floor.seen() == [("desk-2", "green", False), ("tower", "red", False)]
    floor.passes(lambda: incidents.take(floor.main, "alert-1", box=BOX, by="sato", now=after(3)))
    assert floor.shows()[0] == LampState(colour=Colour.RED)


def test_the_tower_is_faster_when_the_next_person_has_been_asked(floor: Floor) -> None:
    policy = a_policy(ladder=a_policy().ladder * 2)
    floor.alert()
    escalate(floor.main, policy=policy, box=BOX, now=START)
    floor.passes(nothing)
    # The test policy's second step is due at once, too.
    assert floor.shows()[0] == LampState(colour=Colour.RED, pattern=Pattern.FAST)


def test_a_line_with_a_fault_makes_the_lamps_that_stand_for_it_dark(floor: Floor) -> None:
    broken = LineStatus(seat="01", state=LineState.FAULT, fault=Text("断線", "cut"))
    floor.passes(lambda: floor.line(broken))
    assert floor.shows() == (OFF, CALM)
    floor.passes(lambda: floor.line(LineStatus(seat="01", state=LineState.IDLE)))
    assert floor.shows() == (CALM, CALM)


def test_before_any_line_is_listened_to_the_lamps_are_dark(floor: Floor) -> None:
    with writing(floor.live):
        live.forget_all(floor.live)
    floor.passes(nothing)
    assert floor.shows() == (OFF, OFF)


def test_an_alert_the_disk_did_not_take_is_shown_all_the_same(floor: Floor) -> None:
    floor.unwritten = [an_incident(alert=an_alert(seat="02"))]
    floor.passes(nothing)
    assert floor.shows() == (RED, RED)


def test_a_lamp_that_is_gone_is_shown_as_a_fault_and_the_others_go_on(floor: Floor) -> None:
    floor.toys["tower"].unplugged = True

    def later() -> None:
        floor.time.now += RETRY_S

    floor.passes(nothing, later, later, floor.alert, lambda: floor.alert("alert-2", "02"))
    assert floor.shows() == (None, RED)
    assert floor.seen() == [("desk-2", "red", False), ("tower", "red", True)]
    assert floor.board.faults == 1
    floor.toys["tower"].unplugged = False
    floor.passes(later, nothing)
    assert floor.shows() == (RED, RED)
    assert floor.seen()[1] == ("tower", "red", False)


def test_the_lamps_keep_what_they_show_while_the_database_cannot_be_read(floor: Floor) -> None:
    def rename(old: str, new: str) -> None:
        floor.main.conn.execute(f"ALTER TABLE {old} RENAME TO {new}")

    floor.passes(floor.alert, lambda: rename("incidents", "gone"), nothing, lambda: rename("gone", "incidents"))
    assert floor.shows() == (RED, CALM)


def test_a_lamp_is_there_between_its_birth_and_its_last_will() -> None:
    presence = LampPresence(BOX)

    def says(payload: str, topic: str = topics.lamp_status(BOX, "desk-2")) -> bool:
        presence.take(Arrived(topic=topic, payload=payload.encode()))
        return presence.is_there("desk-2")

    assert not says('{"state": "online"}', topic=topics.lamp_status(BOX, "desk-3"))
    assert not says('{"state": "online"}', topic="other/lamp/desk-2/status")
    for garbage in ("", "online", "[1]", "{}", '"online"'):
        assert not says(garbage)
    assert says('{"state": "online"}')
    assert not says('{"state": "offline"}')


def test_a_board_without_lamps_stops_when_it_is_told_to(tmp_path: Path) -> None:
    board = LampBoard(
        settings=(),
        workers={},
        open_main=lambda: open_main(tmp_path / "data"),
        open_live=lambda: open_live(tmp_path / "run"),
    )
    stop = threading.Event()
    thread = threading.Thread(target=board.run, args=(stop,))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
