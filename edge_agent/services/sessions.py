"""Sessions: who is logged in from where, until when, and who may end it. Tokens are only kept as hashes.

Rules:
1. Every log-in gets a token of its own; a token the browser brought along is never taken over.
2. A session ends when nothing has been heard of it for the role's idle time, and at the latest after its longest time.
3. A pending session has given a password and still owes a second factor: it is nobody's until then.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError, StoreError, Text
from edge_agent.store import audit, people
from edge_agent.store.database import Database, writing
from edge_agent.store.people import Person, Session

SESSION = timedelta(hours=12)
"""A shift and its handover."""
IDLE = timedelta(hours=1)
"""An open floor page shows a sign of life every few seconds: this is a browser that was closed or left."""
PANEL_SESSION = timedelta(days=30)
"""A panel on the wall has nobody who logs in every morning; it shows no words and can do nothing."""
PANEL_IDLE = timedelta(days=3)
"""A long weekend with the power off."""
PENDING = timedelta(minutes=5)
"""Time to find the telephone with the second factor."""
TOUCH = timedelta(minutes=5)
"""How exactly the last sight of a session is kept; spares a write for every request."""
ID_LENGTH = 16
"""Characters of the hash by which a session is named on pages; says nothing of its token."""
LONGEST_BROWSER = 200

_heard_of: dict[str, datetime] = {}
"""Sessions this process has heard of while the disk was full, by the hash of their token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Where a log-in comes from: address, and what the browser calls itself."""

    address: str = ""
    browser: str = ""


def longest(role: Role) -> timedelta:
    """Return how long a session of this role lasts at most."""
    return PANEL_SESSION if role is Role.VIEWER else SESSION


def idle(role: Role) -> timedelta:
    """Return after which silence a session of this role ends."""
    return PANEL_IDLE if role is Role.VIEWER else IDLE


def begin(db: Database, person: Person, visitor: Visitor, *, now: datetime, pending: bool = False) -> str:
    """Begin a session inside the caller's transaction; return its token."""
    people.end_stale_sessions(db, now=now)
    token = secrets.token_urlsafe(32)
    people.save_session(
        db,
        Session(
            token_hash=token_hash(token),
            person=person.name,
            created_at=now.isoformat(),
            last_seen=now.isoformat(),
            expires_at=(now + (PENDING if pending else longest(person.role))).isoformat(),
            address=visitor.address,
            browser=visitor.browser[:LONGEST_BROWSER],
            pending=pending,
        ),
    )
    if not pending:
        detail = {"address": visitor.address, "session": name_of(token)}
        audit.append(db, at=now, actor=person.name, action="session.began", subject=person.name, detail=detail)
    return token


def open_for(db: Database, person: Person, visitor: Visitor, *, now: datetime) -> str:
    """Return the token of a new session for somebody who has just proved who they are."""
    with writing(db):
        return begin(db, person, visitor, now=now)


def who(db: Database, token: str, *, now: datetime) -> Person | None:
    """Return whose session a token is, or None if it is nobody's, still owes its second factor, or has run out."""
    return holding(db, {token}, now=now).get(token)


def holding(db: Database, tokens: Collection[str], *, now: datetime) -> dict[str, Person]:
    """Return whose sessions those tokens are that hold, and note in one transaction that they were heard of."""
    found, quiet = {}, []
    for token in tokens:
        session = people.find_session(db, token_hash(token))
        if session is None or session.pending:
            continue
        person = people.find(db, session.person)
        if person is None or person.retired or _over(session, person, now):
            continue
        found[token] = person
        if now - datetime.fromisoformat(session.last_seen) > TOUCH:
            quiet.append(session)
    if quiet:
        _note_sight(db, quiet, now=now)
    return found


def _note_sight(db: Database, seen: list[Session], *, now: datetime) -> None:
    # A full disk must not shut out who is logged in, and a session ended just now stays ended.
    try:
        with writing(db):
            for session in seen:
                if people.find_session(db, session.token_hash):
                    people.save_session(db, replace(session, last_seen=now.isoformat()))
        for session in seen:
            _heard_of.pop(session.token_hash, None)
    except StoreError:
        _heard_of.update((session.token_hash, now) for session in seen)


def owing(db: Database, token: str, *, now: datetime) -> Person | None:
    """Return who has given a password with this token and still owes the second factor, or None."""
    session = people.find_session(db, token_hash(token))
    if session is None or not session.pending or now >= datetime.fromisoformat(session.expires_at):
        return None
    person = people.find(db, session.person)
    return None if person is None or person.retired else person


def end(db: Database, token: str, *, now: datetime) -> None:
    """End one's own session."""
    session = people.find_session(db, token_hash(token))
    if session is None:
        return
    with writing(db):
        people.end_session(db, session.token_hash)
        audit.append(db, at=now, actor=session.person, action="session.ended", subject=session.person)


def of(db: Database, name: str, *, now: datetime) -> list[Session]:
    """Return a person's sessions that hold, the newest first."""
    person = people.find(db, name)
    if person is None:
        return []
    return [s for s in people.sessions_of(db, name) if not s.pending and not _over(s, person, now)]


def revoke(db: Database, *, name: str, session_id: str, by: str, now: datetime) -> None:
    """End one session of a person; raise `AccessError` if they have none of that id."""
    with writing(db):
        for session in people.sessions_of(db, name):
            if session.session_id == session_id:
                people.end_session(db, session.token_hash)
                detail = {"session": session_id}
                audit.append(db, at=now, actor=by, action="session.revoked", subject=name, detail=detail)
                return
    raise AccessError(
        Text("そのログインはすでに終わっています。", "That session has already ended."),
        Text("一覧を読み込み直してください。", "Reload the list."),
    )


def revoke_all(db: Database, *, name: str, by: str, now: datetime, but: str | None = None) -> int:
    """End all sessions of a person, except that of the token `but`; return how many."""
    kept = token_hash(but) if but else None
    with writing(db):
        ended = [session for session in people.sessions_of(db, name) if session.token_hash != kept]
        for session in ended:
            people.end_session(db, session.token_hash)
        if ended:
            detail = {"count": str(len(ended))}
            audit.append(db, at=now, actor=by, action="session.revoked", subject=name, detail=detail)
    return len(ended)


def token_hash(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def name_of(token: str) -> str:
    """Return the name of a token's session on pages and in the audit chain."""
    return token_hash(token)[:ID_LENGTH]


def _over(session: Session, person: Person, now: datetime) -> bool:
    seen = datetime.fromisoformat(session.last_seen)
    silent = now - max(seen, _heard_of.get(session.token_hash, seen))
    return now >= datetime.fromisoformat(session.expires_at) or silent >= idle(person.role)
