"""People who may log in, and their sessions."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from edge_agent.domain.roles import Role
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone with a password.

    Attributes:
        name: log-in name.
        must_change: the password was given by somebody else and must be changed at the next log-in.
        failed: wrong passwords since the last right one.
        locked_until: ISO 8601 time in UTC until which no log-in is tried, or None.
        language: "ja" or "en".
        groups: the groups whose seats they deal with; none means the whole floor.
        retired: may log in no more; the name stays in the records.
    """

    name: str
    display_name: str
    role: Role
    password_hash: str
    must_change: bool
    failed: int = 0
    locked_until: str | None = None
    language: str = "ja"
    groups: tuple[str, ...] = ()
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A log-in; only the SHA-256 of its token is kept. Times are ISO 8601 in UTC.

    Attributes:
        browser: what the browser calls itself.
        pending: the password was right and the second factor is still owed.
    """

    token_hash: str
    person: str
    created_at: str
    last_seen: str
    expires_at: str
    address: str = ""
    browser: str = ""
    pending: bool = False

    @property
    def session_id(self) -> str:
        """What names it on pages."""
        return self.token_hash[:16]


def save(db: Database, person: Person) -> None:
    """Keep a person, in place of an earlier version."""
    db.put("people", asdict(person) | {"groups": json.dumps(person.groups)}, key=("name",))


def find(db: Database, name: str) -> Person | None:
    """Return a person, or None if nobody has that name."""
    for row in db.table("people").rows_where("name = ?", [name]):
        kept = {"role": Role(row["role"]), "must_change": bool(row["must_change"]), "retired": bool(row["retired"])}
        return Person(**{**row, **kept, "groups": tuple(json.loads(row["groups"]))})
    return None


def everyone(db: Database) -> list[Person]:
    """Return all people by name."""
    names = [row["name"] for row in db.table("people").rows_where(select="name", order_by="name")]
    return [person for name in names if (person := find(db, name))]


def save_session(db: Database, session: Session) -> None:
    """Keep a session, in place of an earlier version."""
    db.put("sessions", asdict(session), key=("token_hash",))


def find_session(db: Database, token_hash: str) -> Session | None:
    """Return the session of a token's hash, or None."""
    for row in db.table("sessions").rows_where("token_hash = ?", [token_hash]):
        return _session(row)
    return None


def sessions_of(db: Database, person: str) -> list[Session]:
    """Return the sessions of a person, the newest first."""
    rows = db.table("sessions").rows_where("person = ?", [person], order_by="created_at DESC")
    return [_session(row) for row in rows]


def end_session(db: Database, token_hash: str) -> None:
    """Forget a session."""
    db.table("sessions").delete_where("token_hash = ?", [token_hash])


def end_sessions_of(db: Database, person: str) -> None:
    """Forget all sessions of a person."""
    db.table("sessions").delete_where("person = ?", [person])


def end_stale_sessions(db: Database, *, now: datetime) -> None:
    """Forget sessions that have run out."""
    db.table("sessions").delete_where("expires_at < ?", [now.isoformat()])


def _session(row: dict[str, Any]) -> Session:
    return Session(**{**row, "pending": bool(row["pending"])})
