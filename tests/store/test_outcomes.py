"""What became of the suspicions, counted by reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.false_alarm import Cause, FalseAlarm
from edge_agent.domain.incident import Verdict
from edge_agent.services.incidents import open_incident, review, rule_out
from edge_agent.store import incidents
from edge_agent.store.database import Database, open_main, writing
from edge_agent.store.migrations import m009_false_alarms
from tests.builders import BOX, START, after, an_alert


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_main(tmp_path)
    yield opened
    opened.close()


def marked(db: Database, name: str, cause: Cause) -> None:
    open_incident(db, an_alert(name), box=BOX, now=START)
    rule_out(db, name, FalseAlarm(cause=cause, by="sato", at=after(1)), box=BOX)


def test_suspicions_are_counted_by_the_reason_that_held_in_the_end(db: Database) -> None:
    for name, cause in (("a", Cause.QUOTATION), ("b", Cause.QUOTATION), ("c", Cause.MISHEARD)):
        marked(db, name, cause)
    review(db, "c", box=BOX, by="suzuki", verdict=Verdict.HARASSMENT, now=after(2))
    open_incident(db, an_alert("d"), box=BOX, now=START)
    open_incident(db, an_alert("help", kind=AlertKind.HELP), box=BOX, now=START)
    found = incidents.outcomes(db)
    assert (found.suspicions, found.reviewed) == (4, 1)
    assert found.ruled_out == {Cause.QUOTATION: 2}


def test_reviews_from_before_reasons_were_asked_for_are_counted_too(db: Database) -> None:
    marked(db, "a", Cause.JOKING)
    review(db, "a", box=BOX, by="suzuki", verdict=Verdict.COMPLAINT, now=after(2))
    marked(db, "b", Cause.JOKING)
    review(db, "b", box=BOX, by="suzuki", verdict=Verdict.FALSE_ALARM, now=after(2))
    open_incident(db, an_alert("c"), box=BOX, now=START)
    with writing(db):
        db.execute("ALTER TABLE incidents DROP COLUMN ruled_out")
        m009_false_alarms(db)
    assert incidents.outcomes(db).ruled_out == {Cause.COMPLAINT: 1, Cause.OTHER: 1}
