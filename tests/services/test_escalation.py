"""Going up the ladder on a real database: every step with its message and its audit entry, over restarts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.policy import EscalationStep, Policy, Source
from edge_agent.errors import DutyError
from edge_agent.pipeline.escalator import Escalator
from edge_agent.services import duty as duty_service
from edge_agent.services import incidents as incident_service
from edge_agent.services.escalation import escalate
from edge_agent.store import audit, duty, outbox, people
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, a_policy, after, an_alert, words
from tests.fakes import Moments, StandingClock


def ladder(*waits: tuple[str, int]) -> Policy:
    """A policy whose steps have these levels and seconds; amber waits twice as long."""
    return a_policy(
        ladder=tuple(
            EscalationStep(level=level, role=words(level), after_red_s=s, after_amber_s=2 * s, source=Source.DEFAULT)
            for level, s in waits
        )
    )


POLICY = ladder(("L2", 0), ("L2", 30), ("L3", 60))


class Floor:
    """A box whose agent may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StandingClock(START)
        self.db = open_main(folder)

    def on_duty(self, name: str, level: str = "L2", *, rank: int = 0, shift: str | None = None) -> None:
        shifts = duty_service.read_shifts([shift] if shift else [])
        duty_service.put(
            self.db, name=name, display_name=f"{name}さん", level=level, rank=rank, shifts=shifts, by="t", now=START
        )

    def passes(self, seconds: float, policy: Policy = POLICY) -> int:
        self.clock.move(seconds)
        return escalate(self.db, policy=policy, box=BOX, now=self.clock.now(), zone=UTC)

    def is_killed_and_starts_again(self) -> None:
        self.db.close()
        self.db = open_main(self.folder)

    def told(self) -> list[dict[str, Any]]:
        rows = [row for row in outbox.unsent(self.db) if "/escalation/" in row.topic]
        return [json.loads(row.payload) for row in rows]

    def steps_told(self) -> list[tuple[int, list[str]]]:
        return [(message["step"], message["asked"]) for message in self.told()]

    def audited(self) -> list[tuple[str, str, str, str]]:
        return [
            (e.action, e.detail["step"], e.detail["people"], e.detail["cause"])
            for e in audit.of(self.db, "alert-1")
            if e.action.startswith("escalation.")
        ]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    made.on_duty("sato", rank=1)
    made.on_duty("suzuki", rank=2)
    made.on_duty("mori", "L3")
    incident_service.open_incident(made.db, an_alert(), box=BOX, now=START)
    yield made
    made.db.close()


def test_every_step_is_told_and_audited_once(floor: Floor) -> None:
    for seconds in (0, 10, 20, 10, 20, 10):
        floor.passes(seconds)
    assert floor.steps_told() == [(1, ["satoさん"]), (2, ["suzukiさん"]), (3, ["moriさん"])]
    assert floor.audited() == [
        ("escalation.asked", "1", "sato", "time"),
        ("escalation.asked", "2", "suzuki", "time"),
        ("escalation.asked", "3", "mori", "time"),
    ]


def test_the_message_says_who_is_asked_about_what_and_holds_no_words_of_the_call(floor: Floor) -> None:
    floor.passes(30)
    message = floor.told()[1]
    assert message == {
        "schema": 1,
        "alert_id": "alert-1",
        "seat": "01",
        "kind": "harassment",
        "severity": "B3",
        "opened_at": START.isoformat(),
        "step": 2,
        "steps": 3,
        "level": "L2",
        "role": {"ja": "L2（日本語）", "en": "L2 (English)"},
        "asked": ["suzukiさん"],
        "cause": "time",
        "times": 1,
        "at": after(30).isoformat(),
    }
    topics = {row.topic for row in outbox.unsent(floor.db)}
    assert "mamori/v1/tokyo/f1/box1/escalation/alert-1" in topics


@pytest.mark.parametrize("step", [incident_service.acknowledge, incident_service.take])
def test_an_answer_stops_the_ladder(floor: Floor, step: Callable[..., object]) -> None:
    floor.passes(5)
    step(floor.db, "alert-1", box=BOX, by="sato", now=after(6))
    assert floor.passes(1000) == 0
    assert floor.steps_told() == [(1, ["satoさん"])]


def test_a_panels_answer_stops_the_ladder_too(floor: Floor) -> None:
    floor.passes(5)
    incident_service.note_receipt(
        floor.db, alert_id="alert-1", panel="panel-1", kind="acknowledged", box=BOX, now=after(6)
    )
    assert floor.passes(1000) == 0


def test_the_ladder_goes_on_where_it_was_when_the_agent_was_killed(floor: Floor) -> None:
    floor.passes(5)
    floor.is_killed_and_starts_again()
    assert floor.passes(5) == 0
    floor.is_killed_and_starts_again()
    assert floor.passes(20) == 1
    assert floor.steps_told() == [(1, ["satoさん"]), (2, ["suzukiさん"])]


def test_a_step_that_was_not_committed_when_the_agent_was_killed_is_taken_once_after(floor: Floor) -> None:
    floor.passes(5)
    floor.clock.move(25)
    # A trigger stands for the power cut between the step's row and its audit entry.
    floor.db.execute("CREATE TRIGGER cut BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'cut'); END")
    with pytest.raises(Exception, match="cut"):
        floor.passes(0)
    floor.is_killed_and_starts_again()
    assert floor.steps_told() == [(1, ["satoさん"])]
    assert duty.steps(floor.db, "alert-1")[1].asked is None
    floor.db.execute("DROP TRIGGER cut")
    assert floor.passes(1) == 1
    assert floor.steps_told() == [(1, ["satoさん"]), (2, ["suzukiさん"])]


def test_a_new_policy_does_not_move_the_timers_of_an_incident_that_is_open(floor: Floor) -> None:
    floor.passes(5)
    slower = ladder(("L2", 0), ("L3", 600))
    floor.is_killed_and_starts_again()
    assert floor.passes(25, slower) == 1
    assert floor.steps_told()[-1] == (2, ["suzukiさん"])


def test_a_supervisor_marked_absent_is_passed_over_and_that_is_audited(floor: Floor) -> None:
    duty_service.mark(floor.db, name="sato", absent=True, by="suzuki", now=START)
    duty_service.mark(floor.db, name="suzuki", absent=True, by="suzuki", now=START)
    floor.passes(0)
    assert floor.steps_told() == [(3, ["moriさん"])]
    assert floor.audited() == [
        ("escalation.skipped", "1", "", "time"),
        ("escalation.skipped", "2", "", "absent"),
        ("escalation.asked", "3", "mori", "absent"),
    ]
    assert [(e.actor, e.action) for e in audit.of(floor.db, "sato")][-1] == ("suzuki", "duty.absent")


def test_a_supervisor_who_leaves_while_asked_hands_over_to_the_next(floor: Floor) -> None:
    floor.passes(0)
    duty_service.mark(floor.db, name="sato", absent=True, by="sato", now=after(3))
    floor.passes(3)
    assert floor.steps_told()[-1] == (2, ["suzukiさん"])
    assert floor.told()[-1]["cause"] == "absent"


def test_whoever_is_not_on_shift_is_not_asked(floor: Floor) -> None:
    floor.on_duty("sato", rank=1, shift="tue-sun 00:00-24:00")
    floor.passes(0)
    assert floor.steps_told() == [(1, ["suzukiさん"])]


def test_someone_who_is_back_is_asked_again(floor: Floor) -> None:
    duty_service.mark(floor.db, name="sato", absent=True, by="sato", now=START)
    duty_service.mark(floor.db, name="sato", absent=False, by="sato", now=START)
    floor.passes(0)
    assert floor.steps_told() == [(1, ["satoさん"])]


def test_a_supervisor_of_other_seats_is_passed_over(floor: Floor) -> None:
    with writing(floor.db):
        for name, group in (("sato", "night"), ("suzuki", "day")):
            person = people.Person(
                name=name,
                display_name=name,
                role=people.Role.SUPERVISOR,
                password_hash="x",
                must_change=False,
                groups=(group,),
            )
            people.save(floor.db, person)
    groups = {"01": "day"}
    escalate(floor.db, policy=POLICY, box=BOX, now=after(0), seat_groups=groups, zone=UTC)
    assert floor.steps_told() == [(1, ["suzukiさん"])]
    # Nobody else deals with that seat: the manager, who has no groups and sees the whole floor, is next.
    escalate(floor.db, policy=POLICY, box=BOX, now=after(30), seat_groups=groups, zone=UTC)
    assert floor.steps_told() == [(1, ["suzukiさん"]), (3, ["moriさん"])]


def test_two_incidents_have_ladders_of_their_own(floor: Floor) -> None:
    floor.passes(20)
    incident_service.open_incident(floor.db, an_alert("alert-2"), box=BOX, now=after(20))
    floor.passes(10)
    assert [(m["alert_id"], m["step"]) for m in floor.told()] == [("alert-1", 1), ("alert-1", 2), ("alert-2", 1)]


def test_the_thread_goes_up_the_ladder_and_outlives_a_full_disk(floor: Floor) -> None:
    connection: list[Database] = []

    def open_database() -> Database:
        connection.append(open_main(floor.folder))
        return connection[0]

    def disk(*, full: bool) -> None:
        connection[0].conn.execute(f"PRAGMA query_only={'ON' if full else 'OFF'}")

    escalator = Escalator(box=BOX, policy=POLICY, clock=floor.clock, open_database=open_database)
    stop: threading.Event = Moments(  # type: ignore[assignment]
        lambda: disk(full=True),
        lambda: floor.clock.move(30),
        lambda: disk(full=False),
        lambda: None,
    )
    escalator.run(stop)
    assert floor.steps_told() == [(1, ["satoさん"]), (2, ["suzukiさん"])]


def test_nobody_is_marked_who_is_not_in_the_roster(floor: Floor) -> None:
    for change in (
        lambda: duty_service.mark(floor.db, name="nobody", absent=True, by="t", now=START),
        lambda: duty_service.remove(floor.db, name="nobody", by="t", now=START),
    ):
        with pytest.raises(DutyError, match="not in the roster"):
            change()


def test_a_shift_that_cannot_be_read_is_named_with_an_example() -> None:
    with pytest.raises(DutyError, match="'9 to 5'") as error:
        duty_service.read_shifts(["9 to 5"])
    assert "mon-fri 09:00-18:00" in error.value.remedy.en


def test_the_roster_takes_the_name_of_the_log_in_and_keeps_who_is_away(floor: Floor) -> None:
    with writing(floor.db):
        people.save(
            floor.db,
            people.Person(
                name="kato",
                display_name="加藤",
                role=people.Role.SUPERVISOR,
                password_hash="x",
                must_change=False,
            ),
        )
    fields: dict[str, Any] = {"display_name": None, "rank": 3, "shifts": (), "by": "t", "now": START}
    assert duty_service.put(floor.db, name="kato", level="L2", **fields).display_name == "加藤"
    duty_service.mark(floor.db, name="kato", absent=True, by="t", now=START)
    assert duty_service.put(floor.db, name="kato", level="L3", **fields).absent
    assert [(p.name, p.level) for p in duty.everyone(floor.db)] == [
        ("sato", "L2"),
        ("suzuki", "L2"),
        ("mori", "L3"),
        ("kato", "L3"),
    ]
    duty_service.remove(floor.db, name="kato", by="t", now=START)
    assert "kato" not in {p.name for p in duty.everyone(floor.db)}
