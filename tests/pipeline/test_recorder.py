"""What is heard becomes what is shown and kept; an alert gets through whatever the disk does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.audit import first_break
from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.domain.pause import Pause, PauseEnd, PauseSource
from edge_agent.pipeline.events import (
    AlertRaised,
    CallEnded,
    CallStarted,
    ComplaintHeard,
    Event,
    Heard,
    Silenced,
    Warned,
)
from edge_agent.pipeline.recorder import RETRY_S, Recorder
from edge_agent.services import topics
from edge_agent.store import audit, incidents, listenings, live, outbox
from edge_agent.store.database import Database, open_live, open_main, writing
from edge_agent.store.listenings import Listening
from edge_agent.store.live import LineStatus
from tests.builders import BOX, START, WARNING, after, an_alert, said, words
from tests.fakes import Moments, StandingClock

BEGUN = CallStarted(call_id="call-1", seat="01", started_s_ago=1.5)
OVER = CallEnded(call_id="call-1", duration_s=60.0, dropped=0)


class Floor:
    """A recorder on real databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.web = open_main(folder / "data")
        self.page = open_live(folder / "run")
        self.recorders_own: Database | None = None
        self.clock = StandingClock(START)
        self.passed = 0.0
        self.states: list[dict[str, Any]] = []
        self.unstored: list[dict[str, Any]] = []
        self.unstored_words: list[dict[str, Any]] = []
        self.recorder = Recorder(
            box=BOX,
            clock=self.clock,
            open_main=self._open_main,
            open_live=lambda: open_live(folder / "run"),
            show_state=lambda _topic, payload: self.states.append(json.loads(payload)),
            send_unstored=self.send_unstored,
            seats=["01", "02"],
            monotonic=lambda: self.passed,
        )

    def _open_main(self) -> Database:
        self.recorders_own = open_main(self._folder / "data")
        return self.recorders_own

    def day(self, *moments: Callable[[], object]) -> None:
        """Each moment gives the recorder one thing to do, which is done before the next moment."""
        self.recorder.run(Moments(*moments))  # type: ignore[arg-type]

    def send_unstored(self, topic: str, payload: str) -> None:
        (self.unstored if "/alert/" in topic else self.unstored_words).append(json.loads(payload))

    def hears(self, *events: Event, seat: str = "01") -> Callable[[], None]:
        return lambda: self.recorder.note_events(seat, events)

    def disk(self, *, full: bool) -> None:
        """Let the main database grow no further, or again."""
        pages = self.recorders_own.conn.execute("PRAGMA page_count").fetchone()[0] if full else 1_000_000
        self.recorders_own.conn.execute(f"PRAGMA max_page_count={pages}")

    def line(self, seat: str = "01") -> LineStatus:
        return {status.seat: status for status in live.lines(self.page)}[seat]

    def kept(self) -> list[tuple[str, int]]:
        return sorted((i.incident_id, i.alert.revision) for i in incidents.recent(self.web, 100))

    def told_of(self) -> list[int]:
        """Return the revisions that wait for the broker."""
        return [json.loads(row.payload)["revision"] for row in outbox.unsent(self.web) if "/alert/" in row.topic]

    def close(self) -> None:
        self.web.close()
        self.page.close()


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = Floor(tmp_path)
    yield floor
    floor.close()


def big(alert_id: str = "alert-1", **changes: Any) -> Alert:
    """An alert that needs more room than a page that is left."""
    return an_alert(alert_id, quotes=("ながい" * 5000,), **changes)


def test_an_alert_is_kept_with_its_message_and_its_entry(floor: Floor) -> None:
    floor.day(floor.hears(BEGUN), floor.hears(AlertRaised(alert=an_alert())))
    assert floor.kept() == [("alert-1", 1)]
    assert [row.topic for row in outbox.unsent(floor.web)] == [
        topics.alert(BOX, "alert-1"),
        topics.words(BOX, "alert-1"),
    ]
    assert [entry.action for entry in audit.entries(floor.web)] == ["incident.opened"]
    assert floor.unstored == []


def test_what_is_waiting_is_kept_although_the_agent_is_told_to_stop(floor: Floor) -> None:
    for number in range(3):
        floor.recorder.note_events("01", [AlertRaised(alert=an_alert(f"alert-{number}"))])
    floor.day()
    assert len(floor.kept()) == 3


def test_words_are_shown_while_the_call_lasts_and_nowhere_afterwards(floor: Floor) -> None:
    shown: list[list[str]] = []

    def look() -> None:
        shown.append([w.text for w in live.words(floor.page, "call-1")])
        floor.recorder.note_fault("02", None)

    floor.day(
        floor.hears(BEGUN, Heard(utterance=said("あの", final=False))),
        look,
        floor.hears(Heard(utterance=said("あのすみません"))),
        look,
        floor.hears(OVER),
        look,
    )
    assert shown == [["あの"], ["あのすみません"], []]
    main = b"".join(file.read_bytes() for file in (floor._folder / "data").iterdir())
    assert "あのすみません".encode() not in main


def test_the_words_an_alert_relied_on_are_marked(floor: Floor) -> None:
    marked: list[bool] = []
    alert = an_alert(quotes=("ただじゃおかないぞ",))
    heard = [Heard(utterance=said("はい", sequence=0)), Heard(utterance=said("ただじゃおかないぞ", sequence=1))]

    def look() -> None:
        marked.extend(w.telling for w in live.words(floor.page, "call-1"))
        floor.recorder.note_fault("02", None)

    floor.day(floor.hears(BEGUN, *heard, AlertRaised(alert=alert)), look)
    assert marked == [False, True]


def test_a_line_is_shown_from_the_start_of_its_call_to_the_end(floor: Floor) -> None:
    floor.day(floor.hears(BEGUN), floor.hears(OVER))
    of_line = [(state["state"], state["since"]) for state in floor.states if state["seat"] == "01"]
    assert of_line == [("idle", None), ("in_call", after(-1.5).isoformat()), ("idle", None)]
    assert [state["state"] for state in floor.states if state["seat"] == "02"] == ["idle"]


def test_what_is_wrong_with_a_lines_audio_is_told_and_outlasts_its_calls(floor: Floor) -> None:
    clipped = Trouble(kind=TroubleKind.CLIPPING, side=Speaker.CUSTOMER)
    shown: list[tuple[Trouble, ...]] = []
    floor.day(
        floor.hears(BEGUN),
        lambda: floor.recorder.note_troubles("01", (clipped,)),
        floor.hears(OVER),
        lambda: (shown.append(floor.line().troubles), floor.recorder.note_troubles("01", ())),
    )
    assert shown == [(clipped,)]
    of_line = [(state["state"], state["troubles"]) for state in floor.states if state["seat"] == "01"]
    told = ["clipping:customer"]
    assert of_line == [("idle", []), ("in_call", []), ("in_call", told), ("idle", told), ("idle", [])]


def test_the_operator_is_told_while_somebody_listens_in_on_their_call(floor: Floor) -> None:
    listening = Listening(listening_id="l-1", call_id="call-1", seat="01", person="sato", begun_at=START)

    def begins() -> None:
        with writing(floor.page):
            listenings.put(floor.page, listening)

    def ends() -> None:
        with writing(floor.page):
            listenings.remove(floor.page, listening.listening_id)

    def nothing() -> None:
        floor.recorder.note_levels("02", customer=-50.0, operator=-50.0, dropped=0)

    floor.day(floor.hears(BEGUN), lambda: (begins(), nothing()), lambda: (ends(), nothing()), floor.hears(OVER))
    of_line = [(state["state"], state["listened"]) for state in floor.states if state["seat"] == "01"]
    assert of_line == [("idle", False), ("in_call", False), ("in_call", True), ("in_call", False), ("idle", False)]
    assert not any(state["listened"] for state in floor.states if state["seat"] == "02")


def test_the_next_call_of_a_seat_is_not_listened_in_on(floor: Floor) -> None:
    def begins() -> None:
        with writing(floor.page):
            listenings.put(
                floor.page,
                Listening(listening_id="l-1", call_id="call-1", seat="01", person="sato", begun_at=START),
            )
        floor.recorder.note_levels("02", customer=-50.0, operator=-50.0, dropped=0)

    floor.day(floor.hears(BEGUN), begins, floor.hears(OVER), floor.hears(replace(BEGUN, call_id="call-2")))
    of_line = [(state["state"], state["listened"]) for state in floor.states if state["seat"] == "01"]
    assert of_line[2:] == [("in_call", True), ("idle", False), ("in_call", False)]


def test_a_line_shows_warnings_complaint_and_danger(floor: Floor) -> None:
    seen: list[LineStatus] = []

    def look() -> None:
        seen.append(floor.line())
        floor.recorder.note_fault("02", None)

    warning = said(WARNING, speaker=Speaker.OPERATOR)
    floor.day(
        floor.hears(
            BEGUN,
            Heard(utterance=warning),
            Warned(call_id="call-1", at_s=2.0),
            Heard(utterance=said(WARNING, sequence=1)),
            ComplaintHeard(call_id="call-1", at_s=3.0),
        ),
        look,
        floor.hears(AlertRaised(alert=an_alert(kind=AlertKind.LIFE_SAFETY, types=()))),
        look,
    )
    assert [(s.warnings, s.complaint, s.life_safety) for s in seen] == [(1, True, False), (1, True, True)]


def test_a_line_whose_card_is_gone_stays_faulty_when_its_call_ends_and_works_again_when_it_is_back(
    floor: Floor,
) -> None:
    seen: list[LineStatus] = []

    def look() -> None:
        seen.append(floor.line())
        floor.recorder.note_fault("02", None)

    floor.day(
        floor.hears(BEGUN),
        lambda: floor.recorder.note_fault("01", words("card gone")),
        look,
        floor.hears(OVER),
        look,
        lambda: floor.recorder.note_fault("01", None),
        look,
    )
    assert [(s.state, s.call_id, s.fault) for s in seen] == [
        (LineState.FAULT, "call-1", words("card gone")),
        (LineState.FAULT, None, words("card gone")),
        (LineState.IDLE, None, None),
    ]


def test_a_fault_that_is_mended_within_a_call_leaves_the_call_under_way(floor: Floor) -> None:
    seen: list[LineStatus] = []
    floor.day(
        floor.hears(BEGUN),
        lambda: floor.recorder.note_fault("01", words("a voice is missing")),
        lambda: floor.recorder.note_fault("01", None),
        lambda: (seen.append(floor.line()), floor.recorder.note_fault("02", None)),
    )
    assert [(s.state, s.call_id, s.fault) for s in seen] == [(LineState.IN_CALL, "call-1", None)]


def test_the_heartbeat_counts_faulty_lines(floor: Floor) -> None:
    floor.day(lambda: floor.recorder.note_fault("02", words("card gone")))
    assert floor.recorder.faults == 1


def test_loudness_and_lost_blocks_are_shown(floor: Floor) -> None:
    seen: list[LineStatus] = []

    def look() -> None:
        seen.append(floor.line())
        floor.recorder.note_fault("02", None)

    floor.day(
        lambda: floor.recorder.note_levels("01", customer=-20.0, operator=-35.0, dropped=2),
        look,
    )
    assert (seen[0].customer_level, seen[0].operator_level, seen[0].dropped) == (-20.0, -35.0, 2)
    assert seen[0].state is LineState.IDLE


def test_nothing_of_a_call_is_left_after_the_stop(floor: Floor) -> None:
    floor.day(floor.hears(BEGUN, Heard(utterance=said("のこるな"))))
    assert live.words(floor.page, "call-1") == []
    assert live.lines(floor.page) == []


def test_an_alert_goes_out_at_once_although_the_disk_is_full_and_is_kept_once_when_there_is_room(floor: Floor) -> None:
    def room() -> None:
        assert [message["alert_id"] for message in floor.unstored] == ["alert-1"]
        assert floor.unstored[0]["incident_state"] == "open"
        assert [message["revision"] for message in floor.unstored_words] == [1]
        assert floor.kept() == []
        assert floor.recorder.unwritten == 1
        floor.disk(full=False)
        floor.passed += RETRY_S
        floor.recorder.note_fault("02", None)

    floor.day(
        lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()))()),
        room,
        lambda: floor.recorder.note_fault("02", None),
    )
    assert floor.kept() == [("alert-1", 1)]
    assert [row.topic for row in outbox.unsent(floor.web)] == [
        topics.alert(BOX, "alert-1"),
        topics.words(BOX, "alert-1"),
    ]
    assert len(list(audit.entries(floor.web))) == 1
    assert first_break(audit.entries(floor.web)) is None
    assert floor.recorder.unwritten == 0
    assert len(floor.unstored) == 1


def test_every_revision_that_came_while_the_disk_was_full_is_kept_in_order(floor: Floor) -> None:
    update = big(revision=2, change=AlertChange.UPDATE)
    end = big(revision=3, change=AlertChange.END)

    def room() -> None:
        floor.disk(full=False)
        floor.passed += RETRY_S
        floor.recorder.note_fault("02", None)

    floor.day(
        lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()), AlertRaised(alert=update))()),
        floor.hears(AlertRaised(alert=end)),
        room,
    )
    assert [message["change"] for message in floor.unstored] == ["new", "update", "end"]
    assert floor.told_of() == [1, 2, 3]
    assert floor.kept() == [("alert-1", 3)]


def test_a_small_change_does_not_overtake_the_alert_the_disk_refused(floor: Floor) -> None:
    end = an_alert(revision=2, change=AlertChange.END)
    floor.day(
        lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()))()),
        floor.hears(AlertRaised(alert=end)),
        lambda: (floor.disk(full=False), floor.recorder.note_fault("02", None)),
    )
    assert floor.told_of() == [1, 2]


def test_a_refused_alert_does_not_wait_for_a_pause_on_a_busy_floor(floor: Floor) -> None:
    kept: list[int] = []

    def busy_second() -> None:
        kept.append(len(floor.kept()))
        floor.disk(full=False)
        floor.passed += RETRY_S / 4
        # More than one thing to do at every moment: the inbox is never empty.
        for sequence in range(3):
            floor.recorder.note_events("01", [Heard(utterance=said("はい", sequence=sequence))])

    floor.day(
        lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()))(), floor.hears(BEGUN)()),
        *[busy_second] * 8,
    )
    assert kept == [0, 0, 0, 0, 1, 1, 1, 1]


def test_the_disk_is_not_tried_more_than_once_a_second(floor: Floor) -> None:
    tried: list[float] = []
    write = floor.recorder._write

    def counting(main: Database, alert: Alert) -> bool:
        tried.append(floor.passed)
        return write(main, alert)

    floor.recorder._write = counting  # type: ignore[method-assign]

    def tenth() -> None:
        floor.passed += 0.125
        floor.recorder.note_fault("02", None)

    floor.day(lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()))()), *[tenth] * 20)
    assert tried == [0.0, 1.0, 2.0, 2.5]  # the last one at the stop


def test_an_alert_the_disk_refused_is_tried_once_more_at_the_stop(floor: Floor) -> None:
    floor.day(
        lambda: (floor.disk(full=True), floor.hears(AlertRaised(alert=big()))()),
        lambda: (floor.disk(full=False), floor.recorder.note_fault("02", None)),
    )
    assert floor.kept() == [("alert-1", 1)]


def test_only_words_that_may_still_change_are_left_out_when_the_recorder_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.pipeline.recorder.INBOX", 2)
    floor = Floor(tmp_path)
    floor.recorder.note_events("01", [BEGUN])
    floor.recorder.note_events("01", [AlertRaised(alert=an_alert())])
    floor.recorder.note_events("01", [Heard(utterance=said(final=False))])
    floor.recorder.note_levels("01", customer=-20.0, operator=-20.0, dropped=0)
    assert floor.recorder.partials_left_out == 2
    floor.day()
    assert floor.kept() == [("alert-1", 1)]
    floor.close()


def a_pause() -> Pause:
    return Pause(
        pause_id="pause-1",
        seat="01",
        call_id="call-1",
        source=PauseSource.PAGE,
        by="tanaka",
        begun_at=START,
        until=after(300),
    )


def test_a_pause_is_shown_with_its_time_and_its_end(floor: Floor) -> None:
    seen: list[LineStatus] = []
    floor.day(
        floor.hears(BEGUN),
        lambda: floor.recorder.note_pause("01", a_pause(), None),
        lambda: seen.append(floor.line()),
        lambda: floor.recorder.note_pause("01", None, PauseEnd.TOO_LONG),
        lambda: seen.append(floor.line()),
        floor.hears(OVER),
    )
    assert [(s.state, s.paused_since, s.paused_until, s.pause_cut) for s in seen] == [
        (LineState.IN_CALL, START, after(300), False),
        (LineState.IN_CALL, None, None, True),
    ]
    assert (floor.states[-1]["paused_since"], floor.states[-1]["pause_cut"]) == (None, False)


def test_the_words_under_way_when_a_pause_begins_are_in_no_file_of_the_database(floor: Floor, tmp_path: Path) -> None:
    number, hello = "四二四二四二四二", "お電話ありがとうございます"
    found: dict[str, list[bool]] = {"before": [], "after": []}

    def look(when: str) -> None:
        files = [file.read_bytes() for file in (tmp_path / "run").iterdir()]
        found[when] = [any(words.encode() in data for data in files) for words in (number, hello)]

    floor.day(
        floor.hears(BEGUN),
        floor.hears(Heard(utterance=said(hello, sequence=0))),
        floor.hears(Heard(utterance=replace(said(number, sequence=1), final=False))),
        lambda: look("before"),
        floor.hears(Silenced(call_id="call-1")),
        lambda: look("after"),
    )
    assert found == {"before": [True, True], "after": [False, True]}
