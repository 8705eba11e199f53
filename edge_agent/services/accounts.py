"""Logging in: argon2 passwords, lock-out, sessions whose tokens are only kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError, StoreError, Text
from edge_agent.store import audit, people
from edge_agent.store.database import Database, writing
from edge_agent.store.people import Person, Session

MINIMUM_PASSWORD = 12
"""Characters (design default; NIST SP 800-63B asks for at least 8, 15 where it is the only factor)."""
FAILURES = 5
"""Wrong passwords in a row after which the account is locked for `LOCK_OUT`."""
LOCK_OUT = timedelta(minutes=5)
SESSION = timedelta(hours=12)
"""A shift and its handover."""
TOUCH = timedelta(minutes=5)
"""How exactly the last sight of a session is kept; spares a write for every request."""

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
"""Checked when nobody has the name, so that the answer takes as long as a wrong password's."""


def create_person(
    db: Database, *, name: str, display_name: str, role: Role, password: str, must_change: bool, now: datetime
) -> Person:
    """Create someone who may log in; raise `AccessError` for a taken name or a short password."""
    _refuse_short(password)
    person = Person(
        name=name,
        display_name=display_name,
        role=role,
        password_hash=_HASHER.hash(password),
        must_change=must_change,
    )
    with writing(db):
        if people.find(db, name):
            raise AccessError(
                Text(f"ログイン名「{name}」はすでに使われています。", f"The log-in name {name!r} is taken."),
                Text("別の名前にしてください。", "Choose another name."),
            )
        people.save(db, person)
        audit.append(db, at=now, actor="mamori", action="person.created", subject=name, detail={"role": role.value})
    return person


def log_in(db: Database, *, name: str, password: str, now: datetime) -> tuple[Person, str]:
    """Return the person and a new session's token; raise `AccessError` for a wrong name or password or a lock."""
    person = people.find(db, name)
    if person and _locked(person, now):
        raise _locked_out()
    right = _matches(person.password_hash if person else _NOBODY, password)
    if person is None:
        raise _wrong()
    token = secrets.token_urlsafe(32)
    with writing(db):
        # Read again under the lock: guesses made at the same time must all count.
        person = people.find(db, name) or person
        locked = _locked(person, now)
        if right and not locked:
            person = replace(person, failed=0, locked_until=None)
            people.save(db, person)
            _begin_session(db, name, token, now)
        elif not locked:
            _note_failure(db, person, now)
    if locked:
        raise _locked_out()
    if not right:
        raise _wrong()
    return person, token


def who(db: Database, token: str, *, now: datetime) -> Person | None:
    """Return whose session a token is, or None if it is nobody's or has run out."""
    session = people.find_session(db, _token_hash(token))
    if session is None or now >= datetime.fromisoformat(session.expires_at):
        return None
    if now - datetime.fromisoformat(session.last_seen) > TOUCH:
        # A full disk must not shut out who is logged in, and a session ended just now stays ended.
        with suppress(StoreError), writing(db):
            if people.find_session(db, session.token_hash):
                people.save_session(db, replace(session, last_seen=now.isoformat()))
    return people.find(db, session.person)


def log_out(db: Database, token: str, *, now: datetime) -> None:
    """End a session."""
    session = people.find_session(db, _token_hash(token))
    if session is None:
        return
    with writing(db):
        people.end_session(db, session.token_hash)
        audit.append(db, at=now, actor=session.person, action="session.ended", subject=session.person)


def change_password(db: Database, *, name: str, old: str, new: str, now: datetime) -> None:
    """Change one's own password and end one's other sessions; raise `AccessError` if `old` is wrong or `new` short."""
    person = people.find(db, name)
    if person is None or not _matches(person.password_hash, old):
        raise AccessError(
            Text("現在のパスワードが違います。", "The present password is wrong."),
            Text("入力し直してください。", "Try again."),
        )
    _refuse_short(new)
    if new == old:
        raise AccessError(
            Text("新しいパスワードが現在と同じです。", "The new password is the present one."),
            Text("別のパスワードにしてください。", "Choose another."),
        )
    with writing(db):
        people.save(db, replace(person, password_hash=_HASHER.hash(new), must_change=False))
        people.end_sessions_of(db, name)
        audit.append(db, at=now, actor=name, action="password.changed", subject=name)


def reset_password(db: Database, *, name: str, now: datetime) -> str:
    """Return a new one-time password for someone; their sessions end. Raises `AccessError` for an unknown name."""
    person = people.find(db, name)
    if person is None:
        raise AccessError(
            Text(f"「{name}」という人は登録されていません。", f"Nobody is called {name!r}."),
            Text("「mamori person list」で確認してください。", "See “mamori person list”."),
        )
    password = one_time_password()
    with writing(db):
        people.save(
            db,
            replace(person, password_hash=_HASHER.hash(password), must_change=True, failed=0, locked_until=None),
        )
        people.end_sessions_of(db, name)
        audit.append(db, at=now, actor="mamori", action="password.reset", subject=name)
    return password


def set_language(db: Database, *, name: str, language: str) -> None:
    """Remember the language a person reads."""
    with writing(db):
        if person := people.find(db, name):
            people.save(db, replace(person, language=language))


def one_time_password() -> str:
    """Return 16 characters that are easy to read out and type (80 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerificationError:
        return False


def _locked_out() -> AccessError:
    return AccessError(
        Text("続けて失敗したため、一時的にロックされています。", "Locked for now after repeated failures."),
        Text("5分ほど待ってからやり直してください。", "Wait five minutes and try again."),
    )


def _wrong() -> AccessError:
    return AccessError(
        Text("ログイン名またはパスワードが違います。", "The log-in name or the password is wrong."),
        Text(
            "入力し直してください。忘れたときは管理者に「mamori person reset」を頼んでください。",
            "Try again. If it is forgotten, ask an administrator for “mamori person reset”.",
        ),
    )


def _locked(person: Person, now: datetime) -> bool:
    return person.locked_until is not None and now < datetime.fromisoformat(person.locked_until)


def _begin_session(db: Database, name: str, token: str, now: datetime) -> None:
    people.end_stale_sessions(db, now=now)
    people.save_session(
        db,
        Session(
            token_hash=_token_hash(token),
            person=name,
            created_at=now.isoformat(),
            last_seen=now.isoformat(),
            expires_at=(now + SESSION).isoformat(),
        ),
    )
    audit.append(db, at=now, actor=name, action="session.began", subject=name)


def _note_failure(db: Database, person: Person, now: datetime) -> None:
    failed = person.failed + 1
    lock = failed >= FAILURES
    locked_until = (now + LOCK_OUT).isoformat() if lock else None
    people.save(db, replace(person, failed=0 if lock else failed, locked_until=locked_until))
    action = "account.locked" if lock else "session.refused"
    audit.append(db, at=now, actor=person.name, action=action, subject=person.name)


def _refuse_short(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD:
        raise AccessError(
            Text(f"パスワードは{MINIMUM_PASSWORD}文字以上にしてください。", f"At least {MINIMUM_PASSWORD} characters."),
            Text("長い文を使うと覚えやすくなります。", "A long sentence is easy to remember."),
        )


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
