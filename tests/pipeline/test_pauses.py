"""The thread that keeps the pauses: they hold at once, over restarts and full disks, and never for too long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_agent.domain.pause import Pause, PauseEnd, PauseSource
from edge_agent.errors import StoreError
from edge_agent.pipeline.lines import BlockQueue
from edge_agent.pipeline.pauses import RETRY_S, PauseKeeper
from edge_agent.pipeline.ring import Ring
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import RATE, AudioBlock
from edge_agent.services import pauses as services
from edge_agent.services.pauses import Wish
from edge_agent.settings_privacy import Privacy
from edge_agent.store import audit, pauses
from edge_agent.store.database import Database, writing
from tests.builders import START
from tests.pipeline.keepers import KeptFloor, nothing

ASKED = Wish(seat="01", by="tanaka", source=PauseSource.PAGE, call_id="call-1")


class Floor(KeptFloor):
    """Two lines and their pauses."""

    def __init__(self, folder: Path, *, after_keys_s: int = 10) -> None:
        super().__init__(folder)
        self.privacy = Privacy(pause_longest_s=300, pause_after_keys_s=after_keys_s)
        self.passed = 0.0
        self.shown: list[tuple[str, bool, PauseEnd | None]] = []
        self.taps = {seat: Tap(blocks=BlockQueue(), ring=Ring(seconds=1)) for seat in ("01", "02")}
        self.keeper = PauseKeeper(
            taps=self.taps,
            privacy=self.privacy,
            clock=self.clock,
            open_database=self._open,
            call_at=lambda _seat: "call-1",
            show=self._show,
            monotonic=lambda: self.passed,
        )

    def _show(self, seat: str, pause: Pause | None, why: PauseEnd | None) -> None:
        self.shown.append((seat, pause is not None, why))

    def later(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.passed += seconds

    def disk(self, *, full: bool) -> None:
        assert self.own is not None
        pages = self.own.conn.execute("PRAGMA page_count").fetchone()[0] if full else 1_000_000
        self.own.conn.execute(f"PRAGMA max_page_count={pages}")

    def begins(self) -> None:
        services.begin(self.page, ASKED, privacy=self.privacy, now=self.clock.now())

    def actions(self) -> list[tuple[str, str]]:
        return [(entry.action, entry.detail.get("reason", "")) for entry in audit.entries(self.page)]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.page.close()


def test_a_pause_begun_on_a_page_holds_for_its_line_alone(floor: Floor) -> None:
    held: list[tuple[bool, bool]] = []
    floor.day(floor.begins, nothing, lambda: held.append((floor.taps["01"].paused, floor.taps["02"].paused)))
    assert held == [(True, False)]
    assert floor.shown == [("01", True, None)]


def test_a_pause_ended_on_a_page_lets_the_line_be_heard_again(floor: Floor) -> None:
    floor.day(
        floor.begins,
        nothing,
        lambda: services.end(floor.page, "01", by="tanaka", why=PauseEnd.ASKED, now=floor.clock.now()),
        nothing,
    )
    assert not floor.taps["01"].paused
    assert floor.shown == [("01", True, None), ("01", False, PauseEnd.ASKED)]


def test_a_forgotten_pause_ends_with_a_notice(floor: Floor) -> None:
    floor.day(floor.begins, nothing, lambda: floor.later(300), nothing)
    assert not floor.taps["01"].paused
    assert floor.shown[-1] == ("01", False, PauseEnd.TOO_LONG)
    assert floor.actions()[-1] == ("pause.ended", "too_long")


def test_a_clock_set_back_does_not_make_a_pause_longer(floor: Floor) -> None:
    def set_back() -> None:
        floor.clock.move(-3600)
        floor.passed += 300

    floor.day(floor.begins, nothing, set_back, nothing)
    assert not floor.taps["01"].paused


def test_a_pause_under_way_at_a_restart_holds_before_anything_is_heard(floor: Floor) -> None:
    floor.begins()
    floor.keeper.restore()
    assert floor.taps["01"].paused
    floor.later(300)
    floor.day(nothing)
    assert not floor.taps["01"].paused


def test_keys_of_the_customer_pause_the_line_until_they_are_over(floor: Floor) -> None:
    held: list[bool] = []
    floor.keeper.keys("01")
    assert floor.taps["01"].paused, "it holds before anything is written"
    floor.day(
        nothing,
        lambda: floor.later(8),
        lambda: floor.keeper.keys("01"),
        lambda: floor.later(8),
        nothing,
        lambda: held.append(floor.taps["01"].paused),
        lambda: floor.later(2),
        nothing,
    )
    assert held == [True]
    assert not floor.taps["01"].paused
    assert floor.actions() == [("pause.began", ""), ("pause.ended", "keys_over")]


def test_keys_pause_nothing_unless_the_settings_say_so(tmp_path: Path) -> None:
    floor = Floor(tmp_path, after_keys_s=0)
    floor.keeper.keys("01")
    assert not floor.taps["01"].paused
    floor.page.close()


def test_the_end_of_the_call_ends_its_pause_and_empties_the_ring(floor: Floor) -> None:
    ring = floor.taps["02"].ring
    assert ring is not None
    floor.taps["02"].put(AudioBlock(customer=np.full(RATE // 10, 3, np.int16), operator=None))
    floor.day(floor.begins, nothing, lambda: floor.keeper.call_ended("01"), nothing)
    floor.keeper.call_ended("02")
    assert ring.held_s == 0
    assert floor.shown[-1] == ("01", False, PauseEnd.CALL_ENDED)


def test_a_full_disk_does_not_keep_a_pause_from_holding(floor: Floor) -> None:
    kept: list[int] = []

    def fill() -> None:
        floor.disk(full=True)
        assert floor.own is not None
        with pytest.raises(StoreError):
            _fill(floor.own)

    floor.day(
        fill,
        lambda: floor.keeper.begin(ASKED),
        nothing,
        lambda: kept.append(len(pauses.everything(floor.page))),
        lambda: floor.disk(full=False),
        lambda: floor.later(RETRY_S),
        nothing,
    )
    assert floor.taps["01"].paused
    assert kept == [0]
    assert [pause.by for pause in pauses.everything(floor.page)] == ["tanaka"]


def _fill(db: Database) -> None:
    """Leave no room in any page that has been begun."""
    for number in range(1000):
        with writing(db):
            audit.append(db, at=START, actor="x" * 500, action="filled", subject=str(number))
