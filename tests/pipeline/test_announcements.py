"""The thread that keeps announced calls: they hold at once, over restarts and full disks, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from edge_agent.domain.announcement import AnnouncedEnd
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.pipeline.announcements import AnnouncementKeeper
from edge_agent.pipeline.lines import BlockQueue
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import Announced, AudioBlock
from edge_agent.services import announcements as services
from edge_agent.services.announcements import Announcement
from edge_agent.services.devices import revoke
from edge_agent.store import announcements
from tests.builders import after
from tests.pipeline.keepers import KeptFloor, nothing

PBX = Announcement(seat="01", by="pbx")
UNANNOUNCED, UNENDED = Trouble(kind=TroubleKind.UNANNOUNCED), Trouble(kind=TroubleKind.UNENDED)


class Floor(KeptFloor):
    """Two lines and their announced calls."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.queues = {seat: BlockQueue() for seat in ("01", "02")}
        self.taps = {seat: Tap(blocks=queue, ring=None) for seat, queue in self.queues.items()}
        self.shown: list[tuple[str, Trouble | None]] = []
        self.calls: list[tuple[str, bool]] = []
        self.keeper = self.a_keeper()

    def a_keeper(self) -> AnnouncementKeeper:
        return AnnouncementKeeper(
            taps=self.taps,
            hold=timedelta(hours=1),
            clock=self.clock,
            open_database=self._open,
            show=lambda seat, trouble: self.shown.append((seat, trouble)),
            on_call=lambda seat, in_call: self.calls.append((seat, in_call)),
        )

    def block(self, seat: str = "01") -> AudioBlock:
        """Return what the line gets of a block whose source knows nothing of calls."""
        self.taps[seat].put(AudioBlock(customer=np.ones(1600, np.int16), operator=None))
        [block] = self.queues[seat].take()
        return block

    def starts(self, seat: str = "01") -> str:
        return services.start(self.page, replace(PBX, seat=seat), now=self.clock.now()).call_id

    def ends(self, seat: str = "01") -> None:
        services.end(self.page, replace(PBX, seat=seat), now=self.clock.now())

    def decided(self) -> list[bool | None]:
        """Return for both lines what is said of a call: None where its audio decides."""
        return [self.block(seat).in_call for seat in ("01", "02")]

    def disk(self, *, full: bool) -> None:
        assert self.own is not None
        self.own.conn.execute(f"PRAGMA query_only={int(full)}")


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.page.close()


def test_an_announced_call_stands_on_the_audio_of_its_line_alone(floor: Floor) -> None:
    seen: list[AudioBlock] = []
    calls: list[str] = []
    floor.day(
        lambda: calls.append(floor.starts()),
        lambda: floor.clock.move(2),
        lambda: seen.extend((floor.block("01"), floor.block("02"))),
        floor.ends,
        nothing,
        lambda: seen.append(floor.block("01")),
    )
    during, other, afterwards = seen
    assert (during.in_call, during.announced) == (True, Announced(call_id=calls[0]))
    assert (other.in_call, other.announced) == (None, None)
    assert (afterwards.in_call, afterwards.announced) == (False, Announced(call_id=""))
    assert floor.calls == [("01", True), ("01", False)]


def test_a_seat_nothing_is_announced_of_any_more_is_its_audios_again(floor: Floor) -> None:
    seen: list[bool | None] = []
    floor.day(
        floor.starts,
        floor.ends,
        nothing,
        lambda: floor.clock.move(3599),
        nothing,
        lambda: seen.append(floor.block().in_call),
        lambda: floor.clock.move(1),
        nothing,
        lambda: seen.append(floor.block().in_call),
    )
    assert seen == [False, None]


def test_the_seats_of_an_integration_that_is_revoked_are_their_audios_again_at_once(floor: Floor) -> None:
    seen: list[bool | None] = []
    floor.day(
        floor.starts,
        nothing,
        lambda: seen.append(floor.block().in_call),
        lambda: revoke(floor.page, name="pbx", by="it", now=floor.clock.now()),
        nothing,
        lambda: seen.append(floor.block().in_call),
    )
    assert seen == [True, None]


def test_a_call_under_way_when_the_agent_starts_is_under_way_from_its_first_sound(floor: Floor) -> None:
    call_id = floor.starts()
    floor.clock.move(90)
    floor.a_keeper().restore()
    assert floor.block().announced == Announced(call_id=call_id, ago_s=90.0)


def test_a_call_that_has_faded_is_over_and_the_next_start_is_another_call(floor: Floor) -> None:
    calls: list[str] = []
    seen: list[bool | None] = []
    floor.day(
        lambda: calls.append(floor.starts()),
        nothing,
        lambda: floor.keeper.over("01", calls[0], faded=True),
        nothing,
        lambda: seen.append(floor.block().in_call),
        lambda: floor.clock.move(1),
        lambda: calls.append(floor.starts()),
        nothing,
        lambda: seen.append(floor.block().in_call),
    )
    assert seen == [None, True], "until the next announcement voices decide"
    assert calls[0] != calls[1]
    assert floor.shown == [("01", UNENDED), ("01", None)]
    assert not floor.keeper.silent, "one lost end is no silence"


def test_an_end_by_silence_is_noted_with_its_reason_even_if_the_disk_was_full(floor: Floor) -> None:
    calls: list[str] = []
    states: list[AnnouncedEnd | None] = []

    def note() -> None:
        found = announcements.find(floor.page, "01")
        assert found
        states.append(found.end)

    floor.day(
        lambda: calls.append(floor.starts()),
        nothing,
        lambda: floor.disk(full=True),
        lambda: floor.keeper.over("01", calls[0], faded=True),
        nothing,
        note,
        lambda: floor.disk(full=False),
        nothing,
        note,
    )
    assert states == [None, AnnouncedEnd.SILENCE]


def test_the_end_of_a_call_nobody_announced_writes_nothing(floor: Floor) -> None:
    floor.day(floor.starts, nothing, lambda: floor.keeper.over("01", "heard-1", faded=True), nothing)
    found = announcements.find(floor.page, "01")
    assert found
    assert found.under_way


def test_an_announcement_of_a_seat_this_agent_does_not_listen_to_is_left_alone(floor: Floor) -> None:
    services.start(floor.page, Announcement(seat="77", by="pbx"), now=after(1))
    floor.day(nothing)
    assert floor.block().announced is None


def test_a_call_that_was_not_announced_gives_every_seat_back_to_its_audio_and_is_told(floor: Floor) -> None:
    seen: list[list[bool | None]] = []
    silent: list[frozenset[str]] = []

    def look() -> None:
        seen.append(floor.decided())
        silent.append(floor.keeper.silent)

    floor.day(
        floor.starts,
        floor.ends,
        lambda: floor.starts("02"),
        lambda: floor.ends("02"),
        lambda: floor.clock.move(60),
        look,
        lambda: floor.keeper.unannounced("01"),
        nothing,
        look,
        lambda: floor.clock.move(60),
        lambda: floor.starts("02"),
        nothing,
        look,
        floor.starts,
        nothing,
        look,
    )
    assert seen == [[False, False], [None, None], [None, True], [True, True]]
    assert silent == [frozenset(), {"pbx"}, frozenset(), frozenset()], "it announces again: only one seat is left out"
    assert dict(floor.shown[:2]) == {"01": UNANNOUNCED, "02": UNANNOUNCED}
    assert floor.shown[2:] == [("02", None), ("01", None)]


def test_a_full_disk_does_not_keep_a_seat_from_being_heard_and_the_doubt_is_kept_later(floor: Floor) -> None:
    seen: list[bool | None] = []
    kept: list[bool] = []

    def look() -> None:
        found = announcements.find(floor.page, "01")
        seen.append(floor.block().in_call)
        kept.append(found is not None and found.doubted_at is not None)

    floor.day(
        floor.starts,
        floor.ends,
        lambda: floor.clock.move(60),
        lambda: floor.disk(full=True),
        lambda: floor.keeper.unannounced("01"),
        look,
        nothing,
        look,
        lambda: floor.disk(full=False),
        nothing,
        look,
    )
    assert (seen, kept) == ([None, None, None], [False, False, True])


def test_talk_at_a_seat_in_an_announced_call_or_without_announcements_doubts_nothing(floor: Floor) -> None:
    floor.day(
        lambda: floor.starts("02"),
        nothing,
        lambda: floor.keeper.unannounced("02"),
        lambda: floor.keeper.unannounced("01"),
        nothing,
    )
    assert floor.shown == []


def test_a_call_announced_an_hour_ago_and_nothing_since_is_left_to_its_audio_and_its_end_is_kept(floor: Floor) -> None:
    calls: list[str] = []
    seen: list[list[bool | None]] = []
    floor.day(
        lambda: calls.append(floor.starts()),
        lambda: floor.clock.move(3599),
        lambda: seen.append(floor.decided()),
        lambda: floor.clock.move(11),
        nothing,
        lambda: seen.append(floor.decided()),
        # The network or the voices end it, and then nothing stands in the way of the next announcement.
        lambda: floor.keeper.over("01", calls[0], faded=False),
        nothing,
        lambda: calls.append(floor.starts()),
        nothing,
        lambda: seen.append(floor.decided()),
    )
    assert seen == [[True, None], [None, None], [True, None]]
    assert floor.shown == [("01", UNENDED), ("01", None)]


def test_what_was_doubted_before_a_restart_is_doubted_and_told_after_it(floor: Floor) -> None:
    floor.day(floor.starts, floor.ends, lambda: floor.clock.move(60), lambda: floor.keeper.unannounced("01"), nothing)
    floor.shown.clear()
    again = floor.a_keeper()
    again.restore()
    assert floor.shown == [("01", UNANNOUNCED)]
    assert floor.block().announced is None
    assert again.silent == {"pbx"}
