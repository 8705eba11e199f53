"""The MQTT topics and messages of a box; docs/mqtt.md describes them for whoever connects a panel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edge_agent.domain.alert import Alert, AlertChange
from edge_agent.domain.button import PATTERNS, LightState
from edge_agent.domain.incident import Incident
from edge_agent.services.wire import SCHEMA
from edge_agent.settings import Box


def base(box: Box) -> str:
    """Return the prefix of all topics of a box."""
    return f"mamori/v1/{box.site}/{box.floor}/{box.box}"


def status(box: Box) -> str:
    """Return the topic of the retained online/offline status (birth and last will)."""
    return f"{base(box)}/status"


def health(box: Box) -> str:
    """Return the topic of the retained heartbeat."""
    return f"{base(box)}/health"


def line_state(box: Box, seat: str) -> str:
    """Return the topic of a line's retained state."""
    return f"{base(box)}/line/{seat}/state"


def alert(box: Box, alert_id: str) -> str:
    """Return the topic of an alert's messages; never retained."""
    return f"{base(box)}/alert/{alert_id}"


def words(box: Box, alert_id: str) -> str:
    """Return the topic of the words an alert relies on: only panels whose readers have the right to them get it."""
    return f"{base(box)}/words/{alert_id}"


def to_one(topic: str, device: str) -> str:
    """Return the topic on which one device alone is told what others were told on `topic`."""
    return f"{topic}/{device}"


def receipt(box: Box, alert_id: str, panel: str) -> str:
    """Return the topic on which a panel says what became of an alert."""
    return f"{base(box)}/ack/{alert_id}/{panel}"


def escalation(box: Box, alert_id: str) -> str:
    """Return the topic that says who is asked about an alert nobody has acknowledged; never retained."""
    return f"{base(box)}/escalation/{alert_id}"


def button(box: Box, name: str) -> str:
    """Return the topic on which a button on the network says that it was pressed, or that it is there."""
    return f"{base(box)}/button/{name}"


def button_light(box: Box, name: str) -> str:
    """Return the topic of what a button's light shows; retained."""
    return f"{button(box, name)}/led"


def button_health(box: Box) -> str:
    """Return the topic of the retained heartbeat of the process that watches the buttons."""
    return f"{base(box)}/buttons/health"


def button_status(box: Box) -> str:
    """Return the topic of the retained online/offline status of that process (birth and last will)."""
    return f"{base(box)}/buttons/status"


def ask(box: Box, name: str, seat: str) -> str:
    """Return the topic on which an integration tells of a call or a pause of a seat."""
    return f"{base(box)}/ask/{name}/{seat}"


def answer(box: Box, name: str, ask_id: str) -> str:
    """Return the topic on which an integration is told what became of what it asked."""
    return f"{base(box)}/answer/{name}/{ask_id}"


def light_message(state: LightState, *, press_id: str, told: str, now: datetime) -> dict[str, Any]:
    """Return what a button's light shows; `press_id` is the press kept last, `told` the button's own number for it."""
    return {
        "schema": SCHEMA,
        "state": state.value,
        "pattern_ms": list(PATTERNS[state]),
        "press_id": press_id,
        "told": told,
        "at": now.isoformat(),
    }


def lamp_state(box: Box, name: str) -> str:
    """Return the topic of what a lamp is to show; retained, in the lamp's own language."""
    return f"{base(box)}/lamp/{name}/state"


def lamp_status(box: Box, name: str) -> str:
    """Return the topic on which a lamp says whether it is there (birth and last will, retained)."""
    return f"{base(box)}/lamp/{name}/status"


def alive(box: Box, device: str) -> str:
    """Return the topic on which a device says that it is there."""
    return f"{base(box)}/device/{device}/alive"


def command(box: Box, device: str, name: str) -> str:
    """Return the topic of a command to a device."""
    return f"{base(box)}/cmd/{device}/{name}"


def box_command(box: Box, name: str, console: str) -> str:
    """Return the topic of a command to the box itself, given by one console."""
    return f"{base(box)}/cmd/box/{name}/{console}"


def result(box: Box, command_id: str, device: str) -> str:
    """Return the topic on which a device says what became of a command."""
    return f"{base(box)}/result/{command_id}/{device}"


def alert_messages(box: Box, alert: Alert, incident: Incident, *, now: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Return what a revision of an alert is told by: its message, and the words it relies on in one of their own."""
    told = [(f"{base(box)}/alert/{alert.alert_id}", alert_message(alert, incident, now=now))]
    if alert.quotes and alert.change is not AlertChange.END:
        told.append((words(box, alert.alert_id), words_message(alert, now=now)))
    return told


def words_message(alert: Alert, *, now: datetime) -> dict[str, Any]:
    """Return the words of the call that an alert's revision relies on."""
    return {
        "schema": SCHEMA,
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "quotes": list(alert.quotes),
        "telling": [[list(stretch) for stretch in stretches] for stretches in alert.telling],
        "at": now.isoformat(),
    }


def alert_message(alert: Alert, incident: Incident, *, now: datetime) -> dict[str, Any]:
    """Return the message about an alert's newest revision; it holds no words of the call."""
    return {
        "schema": SCHEMA,
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "change": alert.change.value,
        "kind": alert.kind.value,
        "seat": alert.seat,
        "call_id": alert.call_id,
        "at_s": round(alert.at_s, 2),
        "types": [label.value for label in alert.types],
        "severity": alert.severity.name,
        "criterion": alert.criterion,
        "reason": {"ja": alert.reason.ja, "en": alert.reason.en},
        "guide": {"ja": alert.guide.ja, "en": alert.guide.en},
        "warnings": alert.warnings,
        "warning_level": alert.warning_level,
        "tentative": alert.tentative,
        "withdrawn": alert.withdrawn,
        "policy_version": alert.policy_version,
        "model_version": alert.model_version,
        "incident_state": incident.state.value,
        "at": now.isoformat(),
    }
