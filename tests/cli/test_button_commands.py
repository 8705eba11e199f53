"""`mamori press` and `mamori button`: calls for help, the daily test and its record, from the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_agent.cli import main
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.policy import Severity
from edge_agent.domain.press import PressSource
from edge_agent.services import topics
from edge_agent.services.incidents import acknowledge, note_receipt
from edge_agent.settings import Settings, load
from edge_agent.store import audit, buttons, incidents, outbox, receipts
from edge_agent.store.database import Database, open_main, writing
from edge_agent.store.outbox import BUTTONS
from tests.builders import after

SEATS = "".join(
    f"[[seats]]\nseat = '{seat}'\nlabel_ja = 'x'\nlabel_en = 'x'\ndevice = 'tap'\n"
    f"customer_channel = {2 * number}\noperator_channel = {2 * number + 1}\n"
    for number, seat in enumerate(("01", "02"))
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text(
        f"[paths]\ndata = '{tmp_path}'\nrun = '{tmp_path / 'run'}'\n"
        f"[[devices]]\nname = 'tap'\nmatch = 'tap'\nchannels = 4\n{SEATS}"
        "[[buttons]]\nname = 'desk-01'\nseat = '01'\nkind = 'virtual'\n"
        "[[buttons]]\nname = 'button-02'\nseat = '02'\nkind = 'mqtt'\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def settings(data: Path) -> Settings:
    return load(data / "settings.toml")


@pytest.fixture
def db(data: Path) -> Iterator[Database]:
    database = open_main(data)
    yield database
    database.close()


def mamori(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)], env={"MAMORI_LANG": "en"})


def press(data: Path, gesture: str = "help", seat: str = "01") -> str:
    return mamori(data, "press", "--seat", seat, "--gesture", gesture).stdout


def test_a_press_opens_an_incident_that_the_buttons_own_process_sends(data: Path, db: Database) -> None:
    assert press(data) == "A call for help is on its way.\n"
    [incident] = incidents.calls_for_help(db)
    assert (incident.alert.seat, incident.state) == ("01", IncidentState.OPEN)
    assert len(outbox.unsent(db, owner=BUTTONS)) == outbox.count_unsent(db) == 1
    assert press(data) == "The call for help is repeated.\n"
    assert press(data, "emergency") == "The call is an emergency now.\n"
    [raised] = incidents.calls_for_help(db)
    assert (raised.incident_id, raised.alert.severity) == (incident.incident_id, Severity.B3)


def test_a_long_press_withdraws_and_says_if_there_is_nothing(data: Path, db: Database) -> None:
    assert press(data, "withdraw") == "Kept. There is nothing to withdraw.\n"
    press(data)
    assert press(data, "withdraw") == "The call for help is withdrawn.\n"
    assert incidents.calls_for_help(db) == []


def test_a_seat_that_is_none_is_named(data: Path) -> None:
    done = mamori(data, "press", "--seat", "09")
    assert done.exit_code == 1
    assert "There is no seat '09'" in done.stderr


def test_sent_delivered_and_seen_of_a_press_are_part_of_the_incident(
    data: Path, db: Database, settings: Settings
) -> None:
    press(data)
    [incident] = incidents.calls_for_help(db)
    alert_id = incident.incident_id
    assert not outbox.all_sent(db, topics.alert(settings.box, alert_id))
    with writing(db):
        for row in outbox.unsent(db):
            outbox.mark_sent(db, row.row_id, now=after(1))
    for seconds, kind in ((2, "delivered"), (3, "seen")):
        note_receipt(db, alert_id=alert_id, panel="panel-1", kind=kind, box=settings.box, now=after(seconds))
    acknowledge(db, alert_id, box=settings.box, by="sato", now=after(4))
    assert outbox.unsent(db)[0].topic == topics.alert(settings.box, alert_id)
    assert [(r.kind, r.at) for r in receipts.of(db, alert_id)] == [
        ("delivered", after(2).isoformat()),
        ("seen", after(3).isoformat()),
    ]
    assert [entry.action for entry in audit.of(db, alert_id)][-3:] == [
        "alert.delivered",
        "alert.seen",
        "incident.acknowledged",
    ]


def test_the_daily_test_calls_nobody_and_leaves_its_record(data: Path, db: Database) -> None:
    rows = [line.split("\t") for line in mamori(data, "button", "list").stdout.splitlines()]
    assert [(row[0], row[3], row[5]) for row in rows] == [
        ("desk-01", "untested", "-"),
        ("button-02", "silent,untested", "-"),
    ]
    begun = mamori(data, "button", "test")
    assert begun.exit_code == 0
    assert begun.stdout.startswith("Testing 2 buttons")
    assert press(data) == "Kept as a test.\n"
    assert incidents.calls_for_help(db) == []
    assert outbox.count_unsent(db) == 0
    tested = buttons.find(db, "desk-01")
    assert tested is not None
    assert tested.tested_at is not None
    actions = [entry.action for entry in audit.of(db, "desk-01")]
    assert actions == ["button.test_begun", "button.tested"]
    [row] = [line.split("\t") for line in mamori(data, "button", "list").stdout.splitlines() if line[:7] == "desk-01"]
    assert (row[3], row[5] != "-") == ("ok", True)


def test_a_press_at_the_terminal_is_no_test_of_a_button_that_somebody_has_to_press(data: Path, db: Database) -> None:
    mamori(data, "button", "test", "button-02")
    assert press(data, seat="02") == "A call for help is on its way.\n"
    assert len(incidents.calls_for_help(db)) == 1


def test_battery_and_the_last_sign_of_a_button_are_listed(data: Path, db: Database) -> None:
    mamori(data, "button", "test", "button-02")
    known = buttons.find(db, "button-02")
    assert known is not None
    assert known.source is PressSource.MQTT
    with writing(db):
        buttons.put(db, replace(known, battery=9, seen_at=after(0)))
    [row] = [line.split("\t") for line in mamori(data, "button", "list").stdout.splitlines() if line[:3] == "but"]
    assert row[4] == "9%"
    assert "low_battery" in row[3]


def test_a_button_nobody_has_cannot_be_tested(data: Path) -> None:
    done = mamori(data, "button", "test", "desk-09")
    assert done.exit_code == 1
    assert "No button 'desk-09'" in done.stderr
