"""What becomes of an alert: each step keeps incident, message and audit entry, and a repeat changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.alert import AlertChange
from edge_agent.domain.incident import IncidentState, Mark, Verdict
from edge_agent.errors import TransitionError
from edge_agent.services.incidents import (
    acknowledge,
    change_alert,
    close,
    note_receipt,
    open_incident,
    review,
    take,
)
from edge_agent.store import audit, incidents, outbox, receipts
from edge_agent.store.database import Database, open_main
from tests.builders import BOX, START, after, an_alert


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def messages(db: Database) -> list[dict[str, Any]]:
    return [json.loads(row.payload) for row in outbox.unsent(db) if "/alert/" in row.topic]


def actions(db: Database) -> list[tuple[str, str]]:
    return [(entry.actor, entry.action) for entry in audit.entries(db)]


def test_a_new_alert_opens_an_incident_with_its_message_and_its_entry(db: Database) -> None:
    incident = open_incident(db, an_alert(), box=BOX, now=START)
    assert incidents.find(db, "alert-1") == incident
    assert [(m["change"], m["incident_state"]) for m in messages(db)] == [("new", "open")]
    assert outbox.unsent(db)[0].topic == "mamori/v1/tokyo/f1/box1/alert/alert-1"
    [entry] = audit.entries(db)
    assert (entry.actor, entry.action, entry.subject) == ("mamori", "incident.opened", "alert-1")
    assert entry.detail == {
        "kind": "harassment",
        "criterion": "threat-rule",
        "severity": "B3",
        "revision": "1",
        "state": "open",
        "policy": "1",
        "model": "harassment-test 1",
    }


def test_the_audit_holds_no_words_of_the_call(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    assert "ただじゃおかない" not in json.dumps([dict(e.detail) for e in audit.entries(db)], ensure_ascii=False)


def test_the_same_alert_twice_is_one_incident(db: Database) -> None:
    first = open_incident(db, an_alert(), box=BOX, now=START)
    again = open_incident(db, an_alert(), box=BOX, now=after(5))
    assert again == first
    assert len(messages(db)) == len(actions(db)) == 1


def test_a_change_keeps_what_people_have_done(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    acknowledge(db, "alert-1", box=BOX, by="sato", now=after(3))
    changed = change_alert(db, an_alert(revision=2, change=AlertChange.UPDATE), box=BOX, now=after(5))
    assert changed.state is IncidentState.ACKNOWLEDGED
    assert changed.alert.revision == 2
    assert [(m["revision"], m["change"], m["incident_state"]) for m in messages(db)] == [
        (1, "new", "open"),
        (1, "update", "acknowledged"),
        (2, "update", "acknowledged"),
    ]


@pytest.mark.parametrize("revision", [1, 2])
def test_an_older_or_repeated_change_changes_nothing(db: Database, revision: int) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    change_alert(db, an_alert(revision=2, change=AlertChange.UPDATE), box=BOX, now=after(1))
    change_alert(db, an_alert(revision=revision, change=AlertChange.UPDATE), box=BOX, now=after(2))
    assert len(messages(db)) == len(actions(db)) == 2


def test_an_end_is_kept_also_of_an_alert_that_was_never_kept(db: Database) -> None:
    change_alert(db, an_alert(revision=3, change=AlertChange.END), box=BOX, now=START)
    assert incidents.find(db, "alert-1").alert.revision == 3
    assert actions(db) == [("mamori", "alert.ended")]


def test_people_bring_an_incident_to_its_review(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    take(db, "alert-1", box=BOX, by="sato", now=after(1))
    close(db, "alert-1", box=BOX, by="sato", now=after(2))
    review(db, "alert-1", box=BOX, by="tanaka", verdict=Verdict.COMPLAINT, now=after(3))
    incident = incidents.find(db, "alert-1")
    assert incident.acknowledged == incident.taken == Mark(by="sato", at=after(1))
    assert (incident.closed, incident.reviewed) == (Mark(by="sato", at=after(2)), Mark(by="tanaka", at=after(3)))
    assert [m["incident_state"] for m in messages(db)] == ["open", "taken", "closed", "reviewed"]
    assert {m["change"] for m in messages(db)[1:]} == {"update"}
    assert actions(db)[1:] == [
        ("sato", "incident.taken"),
        ("sato", "incident.closed"),
        ("tanaka", "incident.reviewed"),
    ]
    assert list(audit.entries(db))[-1].detail["verdict"] == "complaint"


def test_two_supervisors_cannot_both_take_it(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    take(db, "alert-1", box=BOX, by="sato", now=after(1))
    with pytest.raises(TransitionError, match="Reload the page"):
        take(db, "alert-1", box=BOX, by="suzuki", now=after(1.1))
    assert incidents.find(db, "alert-1").taken.by == "sato"
    assert len(messages(db)) == len(actions(db)) == 2


@pytest.mark.parametrize("step", [acknowledge, take, close])
def test_there_is_nothing_to_do_about_an_incident_that_is_not_there(db: Database, step: Callable[..., Any]) -> None:
    with pytest.raises(TransitionError, match="There is no incident alert-9"):
        step(db, "alert-9", box=BOX, by="sato", now=START)
    assert messages(db) == actions(db) == []


def test_a_panels_acknowledgement_acknowledges(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    for kind in ("delivered", "seen", "acknowledged"):
        note_receipt(db, alert_id="alert-1", panel="panel-1", kind=kind, box=BOX, now=after(2))
    incident = incidents.find(db, "alert-1")
    assert incident.acknowledged == Mark(by="panel:panel-1", at=after(2))
    assert [r.kind for r in receipts.of(db, "alert-1")] == ["acknowledged", "delivered", "seen"]
    assert actions(db)[1:] == [
        ("panel:panel-1", "alert.delivered"),
        ("panel:panel-1", "alert.seen"),
        ("panel:panel-1", "incident.acknowledged"),
    ]


def test_a_second_panels_acknowledgement_is_noted_and_the_first_stands(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    for second, panel in enumerate(["panel-1", "panel-2", "panel-1"]):
        note_receipt(db, alert_id="alert-1", panel=panel, kind="acknowledged", box=BOX, now=after(second))
    assert incidents.find(db, "alert-1").acknowledged == Mark(by="panel:panel-1", at=after(0))
    assert [(r.panel, r.at) for r in receipts.of(db, "alert-1")] == [
        ("panel-1", after(0).isoformat()),
        ("panel-2", after(1).isoformat()),
    ]
    assert actions(db)[-1] == ("panel:panel-2", "alert.acknowledged")
    assert len(messages(db)) == 2


@pytest.mark.parametrize(("alert_id", "kind"), [("alert-9", "seen"), ("alert-1", "exploded"), ("alert-1", "")])
def test_a_receipt_for_nothing_or_of_no_known_kind_is_ignored(db: Database, alert_id: str, kind: str) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    note_receipt(db, alert_id=alert_id, panel="panel-1", kind=kind, box=BOX, now=after(1))
    assert receipts.of(db, alert_id) == []
    assert len(actions(db)) == 1


@pytest.mark.parametrize("before", [None, acknowledge, take])
def test_a_withdrawn_alert_closes_its_incident_and_stays_on_record(
    db: Database, before: Callable[..., Any] | None
) -> None:
    open_incident(db, an_alert(tentative=True), box=BOX, now=START)
    if before is not None:
        before(db, "alert-1", box=BOX, by="sato", now=after(1))
    gone = an_alert(tentative=True).withdraw(at_s=14.0)
    incident = change_alert(db, gone, box=BOX, now=after(2))
    assert incident.state is IncidentState.WITHDRAWN
    assert incident.closed == Mark(by="mamori", at=after(2))
    assert incidents.unfinished(db) == []
    assert incidents.find(db, "alert-1") == incident
    assert actions(db)[-1] == ("mamori", "alert.withdrawn")
    last = messages(db)[-1]
    assert (last["change"], last["tentative"], last["withdrawn"], last["incident_state"]) == (
        "end",
        True,
        True,
        "withdrawn",
    )
    reviewed = review(db, "alert-1", box=BOX, by="sato", verdict=Verdict.FALSE_ALARM, now=after(60))
    assert reviewed.state is IncidentState.REVIEWED


def test_what_people_have_closed_stays_closed_when_the_alert_is_withdrawn(db: Database) -> None:
    open_incident(db, an_alert(tentative=True), box=BOX, now=START)
    acknowledge(db, "alert-1", box=BOX, by="sato", now=after(1))
    close(db, "alert-1", box=BOX, by="sato", now=after(2))
    change_alert(db, an_alert(tentative=True).withdraw(at_s=14.0), box=BOX, now=after(3))
    kept = incidents.find(db, "alert-1")
    assert kept is not None
    assert (kept.state, kept.alert.withdrawn) == (IncidentState.CLOSED, True)
