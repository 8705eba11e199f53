"""Sitting down and leaving."""

from __future__ import annotations

from pathlib import Path

from edge_agent.services import seating
from edge_agent.store import audit, seatings
from edge_agent.store.database import open_main
from tests.builders import START, after


def test_nobody_sits_at_two_seats_and_every_change_is_audited_once(tmp_path: Path) -> None:
    db = open_main(tmp_path)
    seating.sit_down(db, person="kimura", seat="01", now=START)
    seating.sit_down(db, person="kimura", seat="01", now=after(5))
    seating.sit_down(db, person="kimura", seat="02", now=after(10))
    [found] = seatings.everything(db)
    assert (found.seat, found.person, found.since) == ("02", "kimura", after(10))
    seating.leave(db, person="kimura", now=after(20))
    seating.leave(db, person="kimura", now=after(21))
    assert seatings.of_person(db, "kimura") is None
    told = [(entry.action, entry.subject, dict(entry.detail)) for entry in audit.entries(db)]
    assert told == [
        ("seat.taken", "01", {"from": "", "instead_of": ""}),
        ("seat.taken", "02", {"from": "01", "instead_of": ""}),
        ("seat.left", "02", {}),
    ]
    db.close()
