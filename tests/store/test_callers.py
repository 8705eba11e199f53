"""Incidents of one number can be counted, for a while, and never those that people have ruled out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.false_alarm import Cause, FalseAlarm
from edge_agent.services import announcements as calls
from edge_agent.services import housekeeping, incidents
from edge_agent.services.announcements import Announcement
from edge_agent.settings import Paths, Settings
from edge_agent.store import announcements, callers
from edge_agent.store.callers import Caller
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, after, an_alert


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def an_incident(db: Database, number: int, *, caller: str = "aa", **changes: Any) -> str:
    """Announce a call, have an incident in it, and end it."""
    now = after(number * 100)
    told = Announcement(seat="01", by="pbx", caller=caller)
    call = calls.start(db, told, now=now)
    alert = an_alert(f"alert-{number}", call_id=call.call_id, **changes)
    incidents.open_incident(db, alert, box=BOX, now=now)
    calls.end(db, told, now=after(number * 100 + 50))
    return alert.alert_id


def before(db: Database, incident_id: str) -> int | None:
    found = callers.find(db, incident_id)
    return found.before if found else None


def test_incidents_of_one_number_are_counted_in_the_order_they_were_opened(db: Database) -> None:
    first, second = an_incident(db, 1), an_incident(db, 2)
    other, third = an_incident(db, 3, caller="bb"), an_incident(db, 4, kind=AlertKind.HELP, types=(), quotes=())
    assert callers.find(db, first) == Caller(handle="aa", before=0)
    assert [before(db, each) for each in (second, third, other)] == [1, 2, 0]


def test_whoever_withheld_the_number_or_was_not_announced_is_no_caller(db: Database) -> None:
    nameless = an_incident(db, 1, caller="")
    incidents.open_incident(db, an_alert("heard", call_id="heard-1"), box=BOX, now=START)
    assert (before(db, nameless), before(db, "heard")) == (None, None)


def test_what_people_ruled_out_what_the_box_took_back_and_a_life_in_danger_is_not_counted(db: Database) -> None:
    complaint, taken_back = an_incident(db, 1), an_incident(db, 2)
    an_incident(db, 3, kind=AlertKind.LIFE_SAFETY)
    incidents.rule_out(db, complaint, FalseAlarm(cause=Cause.COMPLAINT, note="", by="sato", at=after(160)), box=BOX)
    gone = an_alert(taken_back, revision=2, change=AlertChange.END, withdrawn=True)
    incidents.change_alert(db, gone, box=BOX, now=after(260))
    assert before(db, an_incident(db, 4)) == 0


def test_a_caller_is_forgotten_in_time(db: Database) -> None:
    old, new = an_incident(db, 1), an_incident(db, 2)
    with writing(db):
        callers.forget_before(db, after(150))
    assert (before(db, old), before(db, new)) == (None, 0)
    over = announcements.find(db, "01")
    assert over
    assert over.caller == "", "nothing happened in the last call, or it is with the incident"


def test_housekeeping_forgets_callers_as_the_settings_say(db: Database, tmp_path: Path) -> None:
    settings = Settings(paths=Paths(data=str(tmp_path), run=str(tmp_path / "run")))
    old, new = an_incident(db, 1), an_incident(db, 2)
    age = datetime.now(tz=START.tzinfo) - settings.privacy.caller_kept
    for incident_id, opened in ((old, age.replace(year=age.year - 1)), (new, datetime.now(tz=START.tzinfo))):
        db.conn.execute("UPDATE incidents SET opened_at = ? WHERE incident_id = ?", [opened.isoformat(), incident_id])
    housekeeping.keep_house(settings)
    assert before(db, old) is None
    assert before(db, new) == 0
