"""Presses, and what is known of every button."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from edge_agent.domain.button import ButtonState, Effect, Press
from edge_agent.domain.press import PressSource
from edge_agent.errors import Text
from edge_agent.store.database import Database


def keep_press(db: Database, press: Press, *, effect: Effect, incident_id: str, now: datetime) -> None:
    """Keep a press and what became of it; call it inside the transaction that does it."""
    db.table("presses").insert(
        {
            "press_id": press.press_id,
            "button": press.button,
            "seat": press.seat,
            "gesture": press.gesture.value,
            "source": press.source.value,
            "at": press.at.isoformat(),
            "kept_at": now.isoformat(),
            "told": press.told,
            "effect": effect.value,
            "incident_id": incident_id,
        }
    )


def effect_of(db: Database, press_id: str) -> Effect | None:
    """Return what became of a press, None if it was not kept yet."""
    for row in db.table("presses").rows_where("press_id = ?", [press_id], select="effect"):
        return Effect(row["effect"])
    return None


def newest_press(db: Database, button: str) -> tuple[str, str]:
    """Return the id of the press of a button that was kept last, and its own number for it; empty if there is none."""
    for row in db.table("presses").rows_where(
        "button = ?", [button], select="press_id, told", order_by="rowid DESC", limit=1
    ):
        return str(row["press_id"]), str(row["told"])
    return "", ""


def count_presses(db: Database) -> int:
    """Return how many presses were kept."""
    return db.table("presses").count


def put(db: Database, button: ButtonState) -> None:
    """Keep what is known of a button, in place of what was."""
    row = {
        "name": button.name,
        "seat": button.seat,
        "source": button.source.value,
        "seen_at": _text(button.seen_at),
        "worked_at": _text(button.worked_at),
        "tested_at": _text(button.tested_at),
        "test_until": _text(button.test_until),
        "battery": button.battery,
        "fault": json.dumps([button.fault.ja, button.fault.en], ensure_ascii=False) if button.fault else None,
    }
    db.put("buttons", row, key=("name",))


def find(db: Database, name: str) -> ButtonState | None:
    """Return what is known of a button, None if it never showed itself."""
    for row in db.table("buttons").rows_where("name = ?", [name]):
        return _button(row)
    return None


def everyone(db: Database) -> list[ButtonState]:
    """Return all buttons by name, those the settings do not name any more too."""
    return [_button(row) for row in db.table("buttons").rows_where(order_by="name")]


def _button(row: dict[str, Any]) -> ButtonState:
    return ButtonState(
        name=row["name"],
        seat=row["seat"],
        source=PressSource(row["source"]),
        seen_at=_time(row["seen_at"]),
        worked_at=_time(row["worked_at"]),
        tested_at=_time(row["tested_at"]),
        test_until=_time(row["test_until"]),
        battery=row["battery"],
        fault=Text(*json.loads(row["fault"])) if row["fault"] else None,
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
