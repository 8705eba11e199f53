"""Devices come, go, and are told what to do; everything of it is on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from edge_agent.domain.button import ButtonState
from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.press import PressSource
from edge_agent.errors import DeviceError
from edge_agent.services import topics
from edge_agent.services.devices import give_test, note_presence, note_result, overview, register, revoke
from edge_agent.services.incidents import note_receipt, open_incident
from edge_agent.settings import Settings
from edge_agent.settings_buttons import Button
from edge_agent.store import audit, buttons, devices, incidents, outbox, receipts
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, after, an_alert
from tests.messages import wrong


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    for name, kind in (("panel-1", DeviceKind.PANEL), ("wall-1", DeviceKind.WALLBOARD), ("desk-1", DeviceKind.LAMP)):
        register(database, name=name, kind=kind, by="it", now=START)
    yield database
    database.close()


def actions(db: Database, subject: str) -> list[tuple[str, str]]:
    return [(entry.actor, entry.action) for entry in audit.of(db, subject)]


def presence(db: Database, name: str) -> Presence:
    device = devices.find(db, name)
    assert device is not None
    return device.presence


def test_a_device_nobody_has_connected_is_not_missing(db: Database) -> None:
    assert presence(db, "panel-1") is Presence.NEVER


def test_coming_and_going_is_on_record_and_staying_is_not(db: Database) -> None:
    for at, there in ((1, True), (31, True), (31, False), (200, True)):
        note_presence(db, {"panel-1": (after(at), there)}, now=after(at))
    assert presence(db, "panel-1") is Presence.CONNECTED
    assert [action for _actor, action in actions(db, "panel-1")] == [
        "device.added",
        "device.connected",
        "device.missing",
        "device.connected",
    ]


def test_a_revoked_device_is_forgotten_and_what_it_still_says_changes_nothing(db: Database) -> None:
    revoke(db, name="panel-1", by="it", now=after(1))
    revoke(db, name="panel-1", by="it", now=after(2))
    assert note_presence(db, {"panel-1": (after(3), True)}, now=after(3)) == []
    assert devices.find(db, "panel-1") is None
    assert actions(db, "panel-1") == [("it", "device.added"), ("it", "device.revoked")]


def test_a_test_is_given_as_published_and_its_answer_kept(db: Database) -> None:
    command_id = give_test(db, "panel-1", box=BOX, by="it", now=after(10))
    [row] = outbox.unsent(db)
    assert row.topic == topics.command(BOX, "panel-1", "show-test")
    assert wrong(row.topic, row.payload) == []
    assert json.loads(row.payload)["expires_at"] == after(70).isoformat()
    assert note_result(db, command_id=command_id, device="panel-1", outcome="done", reason="", now=after(11))
    assert devices.last_tests(db) == {"panel-1": after(11).isoformat()}
    assert actions(db, "panel-1")[1:] == [("it", "command.given"), ("panel:panel-1", "command.done")]


def test_a_refusal_is_on_record_with_its_reason_and_a_repeated_command_too(db: Database) -> None:
    command_id = give_test(db, "panel-1", box=BOX, by="it", now=after(10))
    note_result(db, command_id=command_id, device="panel-1", outcome="done", reason="", now=after(11))
    assert not note_result(
        db, command_id=command_id, device="panel-1", outcome="refused", reason="repeated", now=after(12)
    )
    [*_, last] = audit.of(db, "panel-1")
    assert (last.action, last.detail["reason"]) == ("command.refused", "repeated")
    row = devices.find_command(db, command_id)
    assert row is not None
    assert row.outcome == "done"


@pytest.mark.parametrize(
    ("device", "outcome", "reason"),
    [("wall-1", "done", ""), ("panel-1", "exploded", ""), ("panel-1", "refused", "in no mood")],
)
def test_an_answer_of_another_or_of_no_known_kind_changes_nothing(
    db: Database, device: str, outcome: str, reason: str
) -> None:
    command_id = give_test(db, "panel-1", box=BOX, by="it", now=after(10))
    assert not note_result(db, command_id=command_id, device=device, outcome=outcome, reason=reason, now=after(11))
    row = devices.find_command(db, command_id)
    assert row is not None
    assert row.outcome == ""


@pytest.mark.parametrize("name", ["desk-1", "nobody"])
def test_only_what_shows_alerts_can_show_a_test(db: Database, name: str) -> None:
    with pytest.raises(DeviceError, match="There is no device"):
        give_test(db, name, box=BOX, by="it", now=START)


def test_a_wallboard_has_alerts_delivered_and_acknowledges_none(db: Database) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    for kind in ("delivered", "acknowledged"):
        note_receipt(db, alert_id="alert-1", panel="wall-1", kind=kind, box=BOX, now=after(1))
    incident = incidents.find(db, "alert-1")
    assert incident is not None
    assert incident.state is IncidentState.OPEN
    assert [(receipt.panel, receipt.kind) for receipt in receipts.of(db, "alert-1")] == [("wall-1", "delivered")]
    assert ("panel:wall-1", "receipt.refused") in actions(db, "alert-1")


def test_a_button_is_there_or_missing_as_the_process_that_watches_it_says(db: Database) -> None:
    register(db, name="button-1", kind=DeviceKind.BUTTON, by="it", now=START)
    settings = Settings(box=BOX, buttons=(Button(name="button-1", seat="01", kind="mqtt"),))

    def shown(now: float) -> tuple[Presence, datetime | None]:
        (one,) = [one for one in overview(db, settings=settings, now=after(now)) if one.name == "button-1"]
        return one.presence, one.last_seen

    assert shown(0) == (Presence.NEVER, None)
    with writing(db):
        buttons.put(db, ButtonState(name="button-1", seat="01", source=PressSource.MQTT, seen_at=START))
    assert shown(1) == (Presence.CONNECTED, START)
    assert shown(settings.presses.silent_s + 1) == (Presence.MISSING, START)
