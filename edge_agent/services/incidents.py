"""What becomes of an alert. Each function is one transaction: incident, outbox row and audit entry together."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.device import DeviceKind
from edge_agent.domain.false_alarm import FalseAlarm
from edge_agent.domain.incident import Incident, IncidentState, Verdict
from edge_agent.errors import Text, TransitionError
from edge_agent.services import topics
from edge_agent.settings import Box
from edge_agent.store import audit, callers, devices, incidents, outbox, receipts
from edge_agent.store.database import Database, writing

MACHINE = "mamori"
"""The actor of what the box does by itself."""


def owner_of(kind: AlertKind) -> str:
    """Return which process sends what is told of an alert: calls for help do not depend on the agent."""
    return outbox.BUTTONS if kind is AlertKind.HELP else outbox.AGENT


def open_incident(db: Database, alert: Alert, *, box: Box, now: datetime) -> Incident:
    """Keep a new alert as an open incident; a second call with the same alert changes nothing."""
    with writing(db):
        if known := incidents.find(db, alert.alert_id):
            return known
        incident = Incident(alert=alert, opened_at=now)
        _keep(db, incident, box=box, now=now, actor=MACHINE, action="incident.opened")
    return incident


def change_alert(db: Database, alert: Alert, *, box: Box, now: datetime) -> Incident:
    """Keep a newer revision of an alert; an older or equal one changes nothing.

    If the alert is withdrawn, the incident is closed by the box as withdrawn and stays in the records.

    An alert that was never kept (the disk was full when it was new) is kept now.
    """
    with writing(db):
        known = incidents.find(db, alert.alert_id)
        if known is None:
            known = Incident(alert=alert, opened_at=now)
        elif known.alert.revision >= alert.revision:
            return known
        incident = known.with_alert(alert)
        if alert.withdrawn:
            incident = incident.withdraw(by=MACHINE, at=now)
            action = "alert.withdrawn"
        else:
            action = "alert.ended" if alert.change is AlertChange.END else "alert.updated"
        _keep(db, incident, box=box, now=now, actor=MACHINE, action=action)
    return incident


def acknowledge(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
    """`by` has seen it. Raises `TransitionError` if someone was faster or there is no such incident."""
    return _move(db, incident_id, lambda i: i.acknowledge(by=by, at=now), "incident.acknowledged", box, by, now)


def take(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
    """`by` takes charge. Raises `TransitionError` if someone was faster or there is no such incident."""
    return _move(db, incident_id, lambda i: i.take(by=by, at=now), "incident.taken", box, by, now)


def close(db: Database, incident_id: str, *, box: Box, by: str, now: datetime) -> Incident:
    """It is over for the floor. Raises `TransitionError` if nobody has seen it yet."""
    return _move(db, incident_id, lambda i: i.close(by=by, at=now), "incident.closed", box, by, now)


def rule_out(db: Database, incident_id: str, false_alarm: FalseAlarm, *, box: Box) -> Incident:
    """Somebody marks it as a false alarm. Raises `TransitionError` if it cannot be one any more."""
    action, by, now = "incident.ruled_out", false_alarm.by, false_alarm.at
    return _move(db, incident_id, lambda i: i.rule_out(false_alarm), action, box, by, now)


def review(
    db: Database,
    incident_id: str,
    *,
    box: Box,
    by: str,
    verdict: Verdict,
    now: datetime,
    false_alarm: FalseAlarm | None = None,
) -> Incident:
    """`by` certifies what it was. Raises `TransitionError` unless it is closed."""

    def certify(incident: Incident) -> Incident:
        return incident.review(by=by, at=now, verdict=verdict, false_alarm=false_alarm)

    return _move(db, incident_id, certify, "incident.reviewed", box, by, now)


def note_receipt(db: Database, *, alert_id: str, panel: str, kind: str, box: Box, now: datetime) -> None:
    """Keep what a panel says of an alert; ``"acknowledged"`` also acknowledges an open incident.

    A receipt for an unknown alert, of an unknown kind, or repeated changes nothing. Of devices only panels acknowledge.
    """
    if kind not in receipts.KINDS:
        return
    with writing(db):
        incident = incidents.find(db, alert_id)
        if incident is None:
            return
        device = devices.find(db, panel)
        if kind == "acknowledged" and device is not None and device.kind is not DeviceKind.PANEL:
            audit.append(db, at=now, actor=f"panel:{panel}", action="receipt.refused", subject=alert_id)
            return
        if not receipts.note(db, alert_id=alert_id, panel=panel, kind=kind, at=now):
            return
        actor = f"panel:{panel}"
        if kind == "acknowledged" and incident.state is IncidentState.OPEN:
            seen = incident.acknowledge(by=actor, at=now)
            _keep(db, seen, box=box, now=now, actor=actor, action="incident.acknowledged")
        else:
            audit.append(db, at=now, actor=actor, action=f"alert.{kind}", subject=alert_id)


def _move(
    db: Database,
    incident_id: str,
    step: Callable[[Incident], Incident],
    action: str,
    box: Box,
    by: str,
    now: datetime,
) -> Incident:
    with writing(db):
        incident = step(find_or_refuse(db, incident_id))
        _keep(db, incident, box=box, now=now, actor=by, action=action)
    return incident


def find_or_refuse(db: Database, incident_id: str) -> Incident:
    """Return an incident; raise `TransitionError` if there is none of that id."""
    known = incidents.find(db, incident_id)
    if known is None:
        raise TransitionError(
            Text(f"事案 {incident_id} はありません。", f"There is no incident {incident_id}."),
            Text("一覧から選び直してください。", "Choose it from the list again."),
        )
    return known


def _keep(db: Database, incident: Incident, *, box: Box, now: datetime, actor: str, action: str) -> None:
    keep(db, incident, box=box, now=now, actor=actor, action=action, moved=actor != MACHINE)


def keep(db: Database, incident: Incident, *, box: Box, now: datetime, actor: str, action: str, moved: bool) -> None:
    """Write an incident, its message and its audit entry; call it inside a transaction.

    `moved`: people have moved the incident; its alert is not new any more, whatever its revision says.
    """
    alert = incident.alert
    incidents.save(db, incident)
    callers.note(db, incident_id=incident.incident_id, call_id=alert.call_id)
    told = topics.alert_messages(box, alert, incident, now=now)
    if moved:
        # People have moved the incident: the alert itself is not new any more, and its words were sent before.
        told = told[:1]
        if alert.change is AlertChange.NEW:
            told[0][1]["change"] = AlertChange.UPDATE.value
    for topic, message in told:
        payload = json.dumps(message, ensure_ascii=False)
        outbox.put(db, topic=topic, payload=payload, now=now, owner=owner_of(alert.kind))
    detail = {
        "kind": alert.kind.value,
        "criterion": alert.criterion,
        "severity": alert.severity.name,
        "revision": str(alert.revision),
        "state": incident.state.value,
        "policy": alert.policy_version,
        "model": alert.model_version,
    }
    if alert.tentative:
        detail["tentative"] = "true"
    if incident.verdict is not None:
        detail["verdict"] = incident.verdict.value
    if incident.ruled_out is not None:
        # The cause alone: the note is in somebody's own words, which the chain would keep for good.
        detail["ruled_out"] = incident.ruled_out.value
    audit.append(db, at=now, actor=actor, action=action, subject=incident.incident_id, detail=detail)
