"""Devices on the floor's broker, when each was last there, and what they were told to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge_agent.domain.device import Device, DeviceKind
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRow:
    """A command and what became of it; times ISO 8601 in UTC, empty `outcome`: no answer yet."""

    id: str
    device: str
    name: str
    issued_at: str
    expires_at: str
    outcome: str = ""
    reason: str = ""
    answered_at: str = ""


def add(db: Database, *, name: str, kind: DeviceKind, now: datetime) -> None:
    """Keep a device; one of that name from before is forgotten."""
    row = {"name": name, "kind": kind.value, "added_at": now.isoformat(), "last_seen": None, "connected": 0}
    db.put("devices", row, key=("name",))


def remove(db: Database, name: str) -> bool:
    """Forget a device; return whether it was there."""
    known = find(db, name) is not None
    db.table("devices").delete_where("name = ?", [name])
    return known


def find(db: Database, name: str) -> Device | None:
    """Return a device, or None."""
    for row in db.table("devices").rows_where("name = ?", [name]):
        return _device(row)
    return None


def everything(db: Database) -> list[Device]:
    """Return all devices by name."""
    return [_device(row) for row in db.table("devices").rows_where(order_by="name")]


def note(db: Database, name: str, *, last_seen: datetime, connected: bool) -> None:
    """Keep when a device was last there, and whether it is."""
    db.execute(
        "UPDATE devices SET last_seen = ?, connected = ? WHERE name = ?", [last_seen.isoformat(), int(connected), name]
    )


def put_command(db: Database, command: CommandRow) -> None:
    """Keep a command, in place of an earlier state of it."""
    fields = {name: getattr(command, name) for name in CommandRow.__slots__}
    db.put("commands", fields, key=("id",))


def find_command(db: Database, command_id: str) -> CommandRow | None:
    """Return a command, or None."""
    for row in db.table("commands").rows_where("id = ?", [command_id]):
        return CommandRow(**row)
    return None


def last_tests(db: Database) -> dict[str, str]:
    """Return by device when its last command was done (ISO 8601 in UTC)."""
    rows = db.query("SELECT device, max(answered_at) AS at FROM commands WHERE outcome = 'done' GROUP BY device")
    return {row["device"]: row["at"] for row in rows}


def _device(row: dict[str, Any]) -> Device:
    return Device(
        name=row["name"],
        kind=DeviceKind(row["kind"]),
        added_at=datetime.fromisoformat(row["added_at"]),
        last_seen=datetime.fromisoformat(row["last_seen"]) if row["last_seen"] else None,
        connected=bool(row["connected"]),
    )
