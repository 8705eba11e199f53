"""Guessing is stopped twice: for the person whose password is guessed, and for the address the guesses come from.

Rules:
1. `FAILURES` wrong answers in a row lock a person; `ADDRESS_FAILURES` within `WINDOW` lock an address, whatever the
   names.
2. While locked, nothing is tried, not even the right password, and nothing more is counted.
3. Whoever is logged in stays so: a lock keeps people out, it throws nobody out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge_agent.errors import AccessError, Text
from edge_agent.store import audit, people, refusals
from edge_agent.store.database import Database
from edge_agent.store.people import Person
from edge_agent.store.refusals import Refusals

FAILURES = 5
"""Wrong answers in a row after which a person is locked for `LOCK_OUT`."""
LOCK_OUT = timedelta(minutes=5)
ADDRESS_FAILURES = 20
"""Wrong answers from one address within `WINDOW`: more than a floor's shared tablet makes at the change of shifts."""
WINDOW = timedelta(minutes=15)
ADDRESS_LOCK_OUT = timedelta(minutes=15)
MACHINE = "mamori"


def refuse_locked_address(db: Database, address: str, *, now: datetime) -> None:
    """Raise `AccessError` if this address has guessed too often."""
    found = refusals.find(db, address)
    if found and found.locked_until and now < datetime.fromisoformat(found.locked_until):
        raise AccessError(
            Text("この端末からの失敗が続いたため、一時的に受け付けません。", "Too many failures from this device."),
            Text("15分ほど待ってからやり直してください。", "Wait a quarter of an hour and try again."),
        )


def is_locked(person: Person, now: datetime) -> bool:
    """Return whether a person is locked."""
    return person.locked_until is not None and now < datetime.fromisoformat(person.locked_until)


def locked_out() -> AccessError:
    """Return the error for a person that is locked."""
    return AccessError(
        Text("続けて失敗したため、一時的にロックされています。", "Locked for now after repeated failures."),
        Text("5分ほど待ってからやり直してください。", "Wait five minutes and try again."),
    )


def note_failure(db: Database, person: Person | None, address: str, *, now: datetime) -> None:
    """Count a wrong answer inside the caller's transaction; `person` is None if nobody has the name."""
    if person is not None:
        failed = person.failed + 1
        lock = failed >= FAILURES
        locked_until = (now + LOCK_OUT).isoformat() if lock else None
        people.save(db, replace(person, failed=0 if lock else failed, locked_until=locked_until))
        action = "account.locked" if lock else "session.refused"
        audit.append(db, at=now, actor=person.name, action=action, subject=person.name, detail={"address": address})
    if address:
        _count(db, address, now)


def forget(db: Database, person: Person) -> Person:
    """Return the person after a right answer, inside the caller's transaction."""
    clean = replace(person, failed=0, locked_until=None)
    people.save(db, clean)
    return clean


def _count(db: Database, address: str, now: datetime) -> None:
    found = refusals.find(db, address)
    if found is None or now - datetime.fromisoformat(found.since) >= WINDOW:
        refusals.forget_before(db, (now - WINDOW - ADDRESS_LOCK_OUT).isoformat())
        found = Refusals(address=address, since=now.isoformat())
    failed = found.failed + 1
    if failed < ADDRESS_FAILURES:
        refusals.save(db, replace(found, failed=failed))
        return
    locked_until = (now + ADDRESS_LOCK_OUT).isoformat()
    refusals.save(db, Refusals(address=address, since=now.isoformat(), locked_until=locked_until))
    # The names that were tried are not kept: a password may have been typed there by mistake.
    audit.append(db, at=now, actor=MACHINE, action="address.locked", subject=address)
