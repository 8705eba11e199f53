from __future__ import annotations

import json

from edge_agent.services import topics
from tests.builders import BOX, after, an_alert, an_incident


def test_every_topic_lies_under_the_boxs_own() -> None:
    base = "mamori/v1/tokyo/f1/box1"
    assert topics.base(BOX) == base
    assert topics.status(BOX) == f"{base}/status"
    assert topics.health(BOX) == f"{base}/health"
    assert topics.line_state(BOX, "01") == f"{base}/line/01/state"
    assert topics.alert(BOX, "a1") == f"{base}/alert/a1"
    assert topics.receipt(BOX, "a1", "panel-1") == f"{base}/ack/a1/panel-1"


def test_a_message_says_what_a_panel_needs() -> None:
    alert = an_alert(at_s=12.3456)
    incident = an_incident(alert=alert).acknowledge(by="sato", at=after(3))
    message = topics.alert_message(alert, incident, now=after(4))
    assert json.loads(json.dumps(message)) == {
        "schema": 1,
        "alert_id": "alert-1",
        "revision": 1,
        "change": "new",
        "kind": "harassment",
        "seat": "01",
        "call_id": "call-1",
        "at_s": 12.35,
        "types": ["threat"],
        "severity": "B3",
        "criterion": "threat-rule",
        "reason": {"ja": "reason（日本語）", "en": "reason (English)"},
        "guide": {"ja": "guide（日本語）", "en": "guide (English)"},
        "warnings": 0,
        "warning_level": 0,
        "tentative": False,
        "withdrawn": False,
        "policy_version": "1",
        "model_version": "harassment-test 1",
        "incident_state": "acknowledged",
        "at": after(4).isoformat(),
    }


def test_a_message_does_not_say_who_acknowledged() -> None:
    incident = an_incident().acknowledge(by="sato", at=after(3))
    assert "sato" not in json.dumps(topics.alert_message(an_alert(), incident, now=after(4)))
