"""What `mamori listen` and the reference panel print of alerts that are not confirmed yet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge_agent.cli.listening import Report
from edge_agent.cli.panel import Panel
from edge_agent.domain.alert import Alert, AlertChange
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Incident
from edge_agent.pipeline.events import AlertRaised
from edge_agent.ports import Arrived
from edge_agent.services import topics
from tests.builders import BOX, START, an_alert

CONTRACT = {"event", "type", "at", "types", "severity", "reason", "criterion"}


def printed(capsys: pytest.CaptureFixture[str], *alerts: Alert) -> list[dict[str, Any]]:
    report = Report(as_json=True)
    for alert in alerts:
        report.take(AlertRaised(alert=alert))
    report.summary()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_withdrawn_alert_is_shown_and_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    suspected = an_alert(tentative=True)
    new, end, summary = printed(capsys, suspected, suspected.withdraw(at_s=14.0))
    assert set(new) >= CONTRACT
    assert (new["type"], new["tentative"], new["withdrawn"]) == ("new", True, False)
    assert (end["type"], end["tentative"], end["withdrawn"]) == ("end", True, True)
    assert (summary["alerts"], summary["types"]) == (0, [])


def test_a_confirmed_alert_is_counted_once_with_the_types_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    suspected = an_alert("alert-1", tentative=True, types=(Label.SEXUAL,))
    confirmed = replace(suspected, change=AlertChange.UPDATE, tentative=False, types=(Label.THREAT,))
    again = an_alert("alert-2", types=(Label.ABUSE,))
    *_, summary = printed(capsys, suspected, confirmed, again)
    assert (summary["alerts"], summary["types"]) == (2, ["abuse", "threat"])


def test_people_are_told_that_an_alert_is_unconfirmed(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(as_json=False)
    report.take(AlertRaised(alert=an_alert(tentative=True)))
    report.take(AlertRaised(alert=an_alert()))
    unconfirmed, confirmed, *_ = capsys.readouterr().out.splitlines()
    assert "確認中" in unconfirmed
    assert "確認中" not in confirmed


def test_a_panel_shows_what_is_unconfirmed_and_what_was_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(BOX, "panel-1", as_json=False, auto=False)
    suspected = an_alert(tentative=True)
    for alert in (suspected, suspected.withdraw(at_s=14.0)):
        message = topics.alert_message(alert, Incident(alert=alert, opened_at=START), now=START)
        panel.take(Arrived(topic=topics.alert(BOX, alert.alert_id), payload=json.dumps(message).encode()))
    first, last = capsys.readouterr().out.splitlines()
    assert "確認中" in first
    assert "確認中" not in last
    assert panel.acknowledge_all() == []


def test_a_panel_shows_once_who_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    panel = Panel(BOX, "panel-1", as_json=False, auto=False)
    asked = {"alert_id": "alert-1", "seat": "03", "step": 2, "times": 1, "level": "L2", "asked": ["鈴木"]}
    by_role = asked | {"step": 3, "level": "L3", "asked": [], "role": {"ja": "センター長", "en": "centre manager"}}
    for message in (asked, asked, by_role):
        topic = topics.escalation(BOX, "alert-1")
        assert panel.take(Arrived(topic=topic, payload=json.dumps(message).encode())) == []
    person, role = capsys.readouterr().out.splitlines()
    assert person.endswith("席 03 L2 鈴木")
    assert role.endswith(("L3 センター長", "L3 centre manager"))
