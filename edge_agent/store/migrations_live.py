"""How the database of what is only for now came to be, step by step; a step that has shipped is never edited."""

from __future__ import annotations

import sqlite_utils

LIVE = sqlite_utils.Migrations("live")


@LIVE()
def m001_live(db: sqlite_utils.Database) -> None:
    """Line states and the words of calls under way."""
    db.table("lines").create(
        {
            "seat": str,
            "state": str,
            "call_id": str,
            "since": str,
            "fault": str,
            "dropped": int,
            "warnings": int,
            "complaint": int,
            "life_safety": int,
            "customer_level": float,
            "operator_level": float,
        },
        pk="seat",
    )
    db.table("words").create(
        {
            "call_id": str,
            "seat": str,
            "sequence": int,
            "speaker": str,
            "text": str,
            "final": int,
            "start_s": float,
            "end_s": float,
            "telling": int,
        },
        pk=("call_id", "sequence"),
    )


@LIVE()
def m002_lamps(db: sqlite_utils.Database) -> None:
    """What the lamps show, and which of them do not answer."""
    db.table("lamps").create(
        {"name": str, "kind": str, "colour": str, "pattern": str, "fault_ja": str, "fault_en": str}, pk="name"
    )


@LIVE()
def m003_listenings(db: sqlite_utils.Database) -> None:
    """Who listens in on which call."""
    db.table("listenings").create(
        {"listening_id": str, "call_id": str, "seat": str, "person": str, "begun_at": str}, pk="listening_id"
    )


@LIVE()
def m004_line_health(db: sqlite_utils.Database) -> None:
    """How the lines are heard, and what is wrong with their audio."""
    db.table("line_health").create({"seat": str, "customer": str, "operator": str, "troubles": str}, pk="seat")
    db.table("lines").add_column("troubles", str, not_null_default="[]")


@LIVE()
def m005_cards(db: sqlite_utils.Database) -> None:
    """How the sound cards do."""
    db.table("cards").create(
        {"name": str, "card": str, "running": int, "overruns": int, "dropped": int, "losses": int}, pk="name"
    )


@LIVE()
def m006_pauses(db: sqlite_utils.Database) -> None:
    """Whose line is not listened to since when, until when at the latest, and whether the last pause was cut off."""
    for column in ("paused_since", "paused_until"):
        db.table("lines").add_column(column, str)
    db.table("lines").add_column("pause_cut", int, not_null_default=0)


@LIVE()
def m007_overload(db: sqlite_utils.Database) -> None:
    """What is given up because the box cannot keep up."""
    db.table("overload").create({"id": int, "stage": int, "resting": str}, pk="id")
