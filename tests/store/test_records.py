"""What is kept comes back as it was: incidents, messages, receipts, people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.domain.incident import IncidentState, Verdict
from edge_agent.domain.roles import Role
from edge_agent.store import audit, incidents, outbox, people, receipts
from edge_agent.store.database import Database, open_main, writing
from edge_agent.store.people import Person, Session
from tests.builders import START, after, an_alert, an_incident


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def test_an_incident_comes_back_with_every_mark(db: Database) -> None:
    incident = (
        an_incident()
        .acknowledge(by="佐藤", at=after(1))
        .take(by="suzuki", at=after(2.5))
        .close(by="suzuki", at=after(60))
        .review(by="tanaka", at=after(3600), verdict=Verdict.FALSE_ALARM)
    )
    with writing(db):
        incidents.save(db, an_incident())
        incidents.save(db, incident)
    assert incidents.find(db, "alert-1") == incident
    assert incidents.recent(db, 10) == [incident]
    assert incidents.find(db, "alert-2") is None


def test_the_newest_incidents_come_first_and_the_finished_are_left_out(db: Database) -> None:
    with writing(db):
        for second, state in enumerate(IncidentState):
            incident = an_incident(alert=an_alert(state.value), opened_at=after(second), state=state)
            incidents.save(db, incident)
    assert [i.incident_id for i in incidents.unfinished(db)] == ["taken", "acknowledged", "open"]
    assert [i.incident_id for i in incidents.recent(db, 3)] == ["withdrawn", "reviewed", "closed"]


def test_messages_leave_in_the_order_they_came_and_only_once(db: Database) -> None:
    with writing(db):
        for number in range(5):
            outbox.put(db, topic=f"t/{number}", payload="{}", now=after(number))
    first, second = outbox.unsent(db, limit=2)
    assert (first.topic, second.topic, outbox.count_unsent(db)) == ("t/0", "t/1", 5)
    with writing(db):
        outbox.mark_sent(db, second.row_id, now=after(9))
    assert [row.topic for row in outbox.unsent(db)] == ["t/0", "t/2", "t/3", "t/4"]
    assert [row.topic for row in outbox.unsent(db, after=3)] == ["t/3", "t/4"]
    assert outbox.count_unsent(db) == 4


def test_the_first_receipt_of_a_kind_stands(db: Database) -> None:
    with writing(db):
        assert receipts.note(db, alert_id="a", panel="panel-1", kind="seen", at=after(2))
        assert receipts.note(db, alert_id="a", panel="panel-2", kind="seen", at=after(1))
        assert not receipts.note(db, alert_id="a", panel="panel-1", kind="seen", at=after(3))
    assert [(r.panel, r.at) for r in receipts.of(db, "a")] == [
        ("panel-2", after(1).isoformat()),
        ("panel-1", after(2).isoformat()),
    ]


def test_a_person_comes_back_as_they_were(db: Database) -> None:
    sato = Person(name="sato", display_name="佐藤", role=Role.SUPERVISOR, password_hash="x", must_change=True)
    locked = replace(sato, name="abe", failed=3, locked_until=START.isoformat(), language="en", must_change=False)
    with writing(db):
        people.save(db, sato)
        people.save(db, locked)
    assert people.everyone(db) == [locked, sato]
    assert people.find(db, "nobody") is None


def test_sessions_end_one_by_one_by_person_and_by_age(db: Database) -> None:
    def session(token: str, person: str, expires: float) -> Session:
        now = START.isoformat()
        return Session(
            token_hash=token, person=person, created_at=now, last_seen=now, expires_at=after(expires).isoformat()
        )

    with writing(db):
        for token, person, expires in [("a", "sato", 10), ("b", "sato", 99), ("c", "abe", 99), ("d", "abe", 99)]:
            people.save_session(db, session(token, person, expires))
        people.end_stale_sessions(db, now=after(10.5))
        assert [people.find_session(db, token) is not None for token in "abcd"] == [False, True, True, True]
        people.end_session(db, "d")
        people.end_sessions_of(db, "sato")
    assert [people.find_session(db, token) is not None for token in "abcd"] == [False, False, True, False]


def test_what_happened_to_one_subject_is_found_in_order(db: Database) -> None:
    with writing(db):
        for second, subject in enumerate(["x", "y", "x"]):
            audit.append(
                db, at=after(second), actor="sato", action=f"a{second}", subject=subject, detail={"理由": "なし"}
            )
    assert [entry.action for entry in audit.of(db, "x")] == ["a0", "a2"]
    assert audit.of(db, "x")[0].detail == {"理由": "なし"}


def test_an_incident_kept_before_alerts_could_be_tentative_is_read(db: Database) -> None:
    with writing(db):
        incidents.save(db, an_incident())
        [row] = db.table("incidents").rows
        record = json.loads(row["record"])
        for key in ("tentative", "withdrawn", "warning_level"):
            del record["alert"][key]
        db.table("incidents").update("alert-1", {"record": json.dumps(record)})
    found = incidents.find(db, "alert-1")
    assert found is not None
    assert (found.alert.tentative, found.alert.withdrawn, found.alert.warning_level) == (False, False, 0)
