"""What the broker has refused is counted by device and on record, and an attack does not fill the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.device import DeviceKind
from edge_agent.pipeline.broker_watch import RECORD_EVERY, BrokerWatch
from edge_agent.services.devices import register, revoke
from edge_agent.store import audit, broker_refusals
from edge_agent.store.database import Database, open_main
from tests.builders import BOX, START
from tests.fakes import Moments, StandingClock

LOGIN = "1795899669: Client <unknown> disconnected, not authorised.\n"
DENIED = "1795899669: Denied PUBLISH from {} (d0, q1, r0, m1, 'a/b', ... (2 bytes))\n"


class Floor:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "refused.log"
        self.clock = StandingClock(START)
        self.db = open_main(folder)
        self.watch = self.new_watch()

    def new_watch(self) -> BrokerWatch:
        return BrokerWatch(self.file, box=BOX, clock=self.clock, open_database=self.another)

    def another(self) -> Database:
        return open_main(self.file.parent)

    def logs(self, *lines: str) -> None:
        with self.file.open("a", encoding="utf-8") as stream:
            stream.writelines(lines)
        self.watch.step(self.db)

    def counted(self, device: str = "panel-1") -> int:
        found = broker_refusals.find(self.db, device, "publish")
        return found.count if found else 0

    def recorded(self, device: str = "panel-1") -> list[str]:
        return [e.detail["count"] for e in audit.of(self.db, device) if e.action == "broker.refused"]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path)
    register(floor.db, name="panel-1", kind=DeviceKind.PANEL, by="it", now=START)
    yield floor
    floor.db.close()


def test_a_refused_device_is_counted_and_on_record_at_once(floor: Floor) -> None:
    floor.watch.step(floor.db)
    floor.logs(DENIED.format("panel-1"))
    assert (floor.counted(), floor.recorded()) == (1, ["1"])
    floor.watch.step(floor.db)
    assert floor.counted() == 1


def test_an_attack_is_counted_and_the_record_gets_its_number_now_and_then(floor: Floor) -> None:
    for _ in range(5):
        floor.logs(*[DENIED.format("panel-1")] * 100)
    assert (floor.counted(), floor.recorded()) == (500, ["100"])
    floor.clock.move(RECORD_EVERY.total_seconds())
    floor.logs(DENIED.format("panel-1"))
    assert (floor.counted(), floor.recorded()) == (501, ["100", "401"])


def test_whoever_guesses_names_does_not_fill_the_records(floor: Floor) -> None:
    floor.logs(*[DENIED.format(f"guess-{number}") for number in range(50)], *[LOGIN] * 9)
    counted = {(one.device, one.attempt): one.count for one in broker_refusals.everything(floor.db)}
    assert counted == {("?", "publish"): 50, ("?", "login"): 9}


def test_half_a_line_waits_for_its_rest(floor: Floor) -> None:
    line = DENIED.format("panel-1")
    floor.logs(line[:20])
    assert floor.counted() == 0
    floor.logs(line[20:])
    assert floor.counted() == 1


def test_a_file_begun_anew_is_read_from_its_start(floor: Floor) -> None:
    floor.logs(*[DENIED.format("panel-1")] * 3)
    floor.file.unlink()
    floor.logs(DENIED.format("panel-1"))
    assert floor.counted() == 4


def test_a_restart_of_the_agent_counts_nothing_twice(floor: Floor) -> None:
    floor.logs(DENIED.format("panel-1"))
    floor.watch = floor.new_watch()

    def one_more() -> None:
        with floor.file.open("a", encoding="utf-8") as stream:
            stream.write(DENIED.format("panel-1"))

    floor.watch.run(Moments(one_more, lambda: None))  # type: ignore[arg-type]
    assert floor.counted() == 2


def test_a_device_that_is_added_anew_or_revoked_begins_at_nothing(floor: Floor) -> None:
    floor.logs(DENIED.format("panel-1"))
    register(floor.db, name="panel-1", kind=DeviceKind.PANEL, by="it", now=START)
    assert floor.counted() == 0
    floor.logs(DENIED.format("panel-1"))
    revoke(floor.db, name="panel-1", by="it", now=START)
    assert broker_refusals.everything(floor.db) == []
    assert floor.recorded() == ["1", "1"]
