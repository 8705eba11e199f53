"""Devices of the floor: known, there or missing, and told what to do. Each function is one transaction."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from edge_agent.domain.announcement import silent
from edge_agent.domain.button import Trouble
from edge_agent.domain.command import CommandName, Refusal
from edge_agent.domain.device import SHOWING, Device, DeviceKind, Presence
from edge_agent.errors import DeviceError, Text
from edge_agent.services import topics, wire
from edge_agent.services.buttons import overview as button_overview
from edge_agent.settings import Box, Settings
from edge_agent.store import announcements, audit, broker_refusals, devices, outbox
from edge_agent.store.database import Database, writing
from edge_agent.store.devices import CommandRow

MACHINE = "mamori"
TEST = Text("これは表示のテストです。アラートではありません。", "This is a test of the display, not an alert.")


def register(db: Database, *, name: str, kind: DeviceKind, by: str, now: datetime) -> None:
    """Keep a device that was given an identity; an integration is let in by `services.integrations.admit`."""
    with writing(db):
        devices.add(db, name=name, kind=kind, now=now)
        broker_refusals.forget(db, name)
        announcements.remove_integration(db, name)
        audit.append(db, at=now, actor=by, action="device.added", subject=name, detail={"kind": kind.value})


def revoke(db: Database, *, name: str, by: str, now: datetime) -> None:
    """Forget a device whose identity was taken away; one that is not known changes nothing."""
    with writing(db):
        announcements.remove_integration(db, name)
        # What it announced decides no longer: its seats must not wait for announcements that never come.
        announcements.forget_of(db, name)
        if devices.remove(db, name):
            broker_refusals.forget(db, name)
            audit.append(db, at=now, actor=by, action="device.revoked", subject=name)


def note_presence(db: Database, seen: Mapping[str, tuple[datetime, bool]], *, now: datetime) -> list[str]:
    """Keep when devices were last there and whether they are; return those that have come or gone.

    A device nobody has added changes nothing.
    """
    moved = []
    with writing(db):
        for name, (last_seen, connected) in seen.items():
            known = devices.find(db, name)
            if known is None:
                continue
            devices.note(db, name, last_seen=last_seen, connected=connected)
            if (known.presence is Presence.CONNECTED) != connected:
                moved.append(name)
                action = "device.connected" if connected else "device.missing"
                audit.append(db, at=now, actor=MACHINE, action=action, subject=name)
    return moved


def silent_integrations(db: Database) -> frozenset[str]:
    """Return the names of integrations that announce nothing although calls are heard at their seats."""
    return silent(announcements.everything(db))


def overview(db: Database, *, settings: Settings, now: datetime) -> list[Device]:
    """Return all devices by name, each with when it was last there, and integrations with their seats.

    Buttons are watched by their own process.
    """
    seats = {each.name: each.seats for each in announcements.integrations(db)}
    mute = silent_integrations(db)
    buttons = {report.button.name: report for report in button_overview(db, settings=settings, now=now)}
    shown = []
    for device in devices.everything(db):
        report = buttons.get(device.name) if device.kind is DeviceKind.BUTTON else None
        if report is not None:
            silent = Trouble.SILENT in report.troubles
            device = replace(device, last_seen=report.button.seen_at, connected=not silent)  # noqa: PLW2901 - completed
        shown.append(replace(device, seats=seats.get(device.name, ()), silent=device.name in mute))
    return shown


def give_test(db: Database, name: str, *, box: Box, by: str, now: datetime) -> str:
    """Tell a device to show a test; return the command's id.

    Raises:
        DeviceError: if there is no such device, or it shows nothing.
    """
    command_id = uuid.uuid4().hex
    expiry = wire.expiry_of("command")
    with writing(db):
        device = _showing(db, name)
        expires_at = now + timedelta(seconds=expiry)
        row = CommandRow(
            id=command_id,
            device=device.name,
            name=CommandName.SHOW_TEST.value,
            issued_at=now.isoformat(),
            expires_at=expires_at.isoformat(),
        )
        devices.put_command(db, row)
        message = {
            "schema": wire.SCHEMA,
            "id": row.id,
            "command": row.name,
            "issued_at": row.issued_at,
            "expires_at": row.expires_at,
            "text": {"ja": TEST.ja, "en": TEST.en},
        }
        topic = topics.command(box, device.name, row.name)
        outbox.put(db, topic=topic, payload=json.dumps(message, ensure_ascii=False), now=now)
        detail = {"command": row.name, "id": row.id}
        audit.append(db, at=now, actor=by, action="command.given", subject=device.name, detail=detail)
    return command_id


def note_result(db: Database, *, command_id: str, device: str, outcome: str, reason: str, now: datetime) -> bool:
    """Keep what a device says of a command; return False for one it was not given, or has answered before."""
    refused = outcome == "refused"
    if outcome not in {"done", "refused"} or (refused and reason not in set(Refusal)):
        return False
    with writing(db):
        row = devices.find_command(db, command_id)
        if row is None or row.device != device:
            return False
        if row.outcome:
            # A second answer changes nothing, but that the command came to the device again is kept.
            if refused:
                _audit_result(db, row, outcome=outcome, reason=reason, now=now)
            return False
        answered = replace(row, outcome=outcome, reason=reason if refused else "", answered_at=now.isoformat())
        devices.put_command(db, answered)
        _audit_result(db, answered, outcome=outcome, reason=answered.reason, now=now)
    return True


def _audit_result(db: Database, row: CommandRow, *, outcome: str, reason: str, now: datetime) -> None:
    detail = {"command": row.name, "id": row.id} | ({"reason": reason} if reason else {})
    audit.append(
        db, at=now, actor=f"panel:{row.device}", action=f"command.{outcome}", subject=row.device, detail=detail
    )


def _showing(db: Database, name: str) -> Device:
    device = devices.find(db, name)
    if device is None or device.kind not in SHOWING:
        raise DeviceError(
            Text(f"「{name}」という表示機器はありません。", f"There is no device {name!r} that shows anything."),
            Text("「mamori device list」で確認してください。", "See “mamori device list”."),
        )
    return device
