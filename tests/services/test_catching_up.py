"""A panel that has just come is told what the floor has before it, and nobody else hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from edge_agent.cli.panel import Panel
from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.device import DeviceKind
from edge_agent.ports import Arrived
from edge_agent.services import duty as duty_service
from edge_agent.services import incidents as service
from edge_agent.services import topics
from edge_agent.services.catching_up import MOST, tell_under_way
from edge_agent.services.devices import register
from edge_agent.services.escalation import escalate
from edge_agent.store import audit, outbox
from edge_agent.store.database import Database, open_main
from tests.builders import BOX, START, a_policy, after, an_alert
from tests.messages import wrong


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    kinds = {"panel-1": DeviceKind.PANEL, "wall-1": DeviceKind.WALLBOARD, "desk-1": DeviceKind.LAMP}
    for name, kind in kinds.items():
        register(database, name=name, kind=kind, by="it", now=START)
    yield database
    database.close()


def told(db: Database, name: str = "panel-1", owner: str = outbox.AGENT) -> list[tuple[str, dict[str, Any]]]:
    """Tell a device what is under way; return the messages, topic without the box's part and content."""
    before = {row.row_id for row in outbox.unsent(db, limit=1000)}
    tell_under_way(db, name, box=BOX, owner=owner, now=after(60))
    rows = [row for row in outbox.unsent(db, limit=1000, owner=owner) if row.row_id not in before]
    assert [problem for row in rows for problem in wrong(row.topic, row.payload)] == []
    return [(row.topic.removeprefix(f"{topics.base(BOX)}/"), json.loads(row.payload)) for row in rows]


def told_of(db: Database, name: str = "panel-1") -> list[str]:
    return [message["alert_id"] for topic, message in told(db, name) if topic.startswith("alert/")]


def test_a_panel_gets_the_alert_its_words_and_who_is_asked_on_topics_of_its_own(db: Database) -> None:
    duty_service.put(db, name="sato", display_name="佐藤", level="L2", rank=1, shifts=(), by="it", now=START)
    service.open_incident(db, an_alert(), box=BOX, now=START)
    escalate(db, policy=a_policy(), box=BOX, now=after(1), zone=UTC)
    (alert, words, asked) = told(db)
    assert [topic for topic, _ in (alert, words, asked)] == [
        "alert/alert-1/panel-1",
        "words/alert-1/panel-1",
        "escalation/alert-1/panel-1",
    ]
    assert (alert[1]["change"], alert[1]["revision"], alert[1]["incident_state"]) == ("update", 1, "open")
    assert words[1]["quotes"] == ["ただじゃおかないぞ"]
    assert asked[1]["asked"] == ["佐藤"]
    [*_, entry] = audit.of(db, "panel-1")
    assert (entry.action, entry.detail["count"]) == ("device.caught_up", "1")


def test_a_wallboard_gets_no_words_and_a_lamp_nothing(db: Database) -> None:
    service.open_incident(db, an_alert(), box=BOX, now=START)
    assert [topic for topic, _ in told(db, "wall-1")] == ["alert/alert-1/wall-1"]
    assert told(db, "desk-1") == told(db, "nobody") == []


def test_what_is_over_is_left_out_and_what_nobody_has_answered_is_told_although_the_call_is_over(db: Database) -> None:
    for name in ("closed", "taken", "over", "seen-and-over", "withdrawn"):
        service.open_incident(db, an_alert(name), box=BOX, now=START)
    for name in ("closed", "taken", "seen-and-over"):
        service.take(db, name, box=BOX, by="sato", now=after(1))
    service.close(db, "closed", box=BOX, by="sato", now=after(2))
    ended = replace(an_alert(), change=AlertChange.END, revision=2)
    for name in ("over", "seen-and-over"):
        service.change_alert(db, replace(ended, alert_id=name), box=BOX, now=after(3))
    service.change_alert(db, replace(ended, alert_id="withdrawn", withdrawn=True), box=BOX, now=after(3))
    assert sorted(told_of(db)) == ["over", "taken"]
    states = {m["alert_id"]: (m["change"], m["incident_state"]) for topic, m in told(db) if topic.startswith("alert/")}
    assert states == {"over": ("end", "open"), "taken": ("update", "taken")}


def test_whoever_was_asked_is_not_told_any_more_once_somebody_has_answered(db: Database) -> None:
    service.open_incident(db, an_alert(), box=BOX, now=START)
    escalate(db, policy=a_policy(), box=BOX, now=after(1), zone=UTC)
    service.acknowledge(db, "alert-1", box=BOX, by="sato", now=after(2))
    assert [topic.split("/")[0] for topic, _ in told(db)] == ["alert", "words"]


def test_the_oldest_is_told_first(db: Database) -> None:
    service.open_incident(db, an_alert("first"), box=BOX, now=START)
    service.open_incident(db, an_alert("second"), box=BOX, now=after(1))
    assert told_of(db) == ["first", "second"]


def test_calls_for_help_are_told_by_the_buttons_process_and_everything_else_by_the_agent(db: Database) -> None:
    service.open_incident(db, an_alert("suspected"), box=BOX, now=START)
    service.open_incident(db, an_alert("help", kind=AlertKind.HELP, quotes=(), types=()), box=BOX, now=after(1))
    assert [topic for topic, _ in told(db)] == ["alert/suspected/panel-1", "words/suspected/panel-1"]
    [(topic, message)] = told(db, owner=outbox.BUTTONS)
    assert (topic, message["kind"], message["change"]) == ("alert/help/panel-1", "help", "update")
    assert [entry.detail["told_by"] for entry in audit.of(db, "panel-1")[1:]] == ["agent", "buttons"]


def test_of_very_many_the_newest_are_told(db: Database) -> None:
    for number in range(MOST + 3):
        service.open_incident(db, an_alert(f"alert-{number}", quotes=()), box=BOX, now=after(number))
    assert told_of(db) == [f"alert-{number}" for number in range(3, MOST + 3)]


def test_a_floor_with_nothing_under_way_leaves_no_trace(db: Database) -> None:
    assert told(db) == []
    assert [entry.action for entry in audit.of(db, "panel-1")] == ["device.added"]


def test_a_panel_shows_nothing_twice_whichever_comes_first(db: Database, capsys: pytest.CaptureFixture[str]) -> None:
    service.open_incident(db, an_alert(), box=BOX, now=START)
    everybody_s = [(row.topic, row.payload) for row in outbox.unsent(db)]
    own = [(f"{topics.base(BOX)}/{topic}", json.dumps(message)) for topic, message in told(db)]
    for messages in (everybody_s + own, own + everybody_s, own + own):
        panel = Panel(BOX, "panel-1", as_json=True, auto=False)
        receipts = [
            json.loads(payload)["kind"]
            for topic, told_payload in messages
            for _, payload in panel.take(Arrived(topic=topic, payload=told_payload.encode()))
        ]
        shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [("quotes" in message, message["revision"]) for message in shown] == [(False, 1), (True, 1)]
        assert receipts == ["delivered"]


@pytest.mark.parametrize("status", [topics.status(BOX), topics.button_status(BOX)])
def test_a_panel_asks_once_whenever_the_agent_or_the_buttons_process_has_come(status: str) -> None:
    panel = Panel(BOX, "panel-1", as_json=True, auto=False)

    def says(state: str, topic: str = status) -> None:
        assert panel.take(Arrived(topic=topic, payload=json.dumps({"state": state}).encode())) == []

    says("online")
    [(topic, payload)] = panel.asks()
    assert wrong(topic, payload) == []
    assert (topic, json.loads(payload)["wants"]) == (topics.alive(BOX, "panel-1"), "under-way")
    assert panel.asks() == []
    says("offline")
    assert panel.asks() == []
    says("online")
    says("online", topics.status(BOX))
    assert len(panel.asks()) == 1
    assert "wants" not in json.loads(panel.alive()[1])
