"""Logging in: argon2 passwords, and what the first and every further password must be."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError, Text
from edge_agent.services import lockout, sessions, staff
from edge_agent.services.sessions import Visitor
from edge_agent.store import audit, people, second_factors
from edge_agent.store.database import Database, writing
from edge_agent.store.people import Person

MINIMUM_PASSWORD = 12
"""Characters (design default; NIST SP 800-63B asks for at least 8, 15 where it is the only factor)."""
DIFFERENT = 5
"""Different characters: twelve times the same one is long but no secret."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
LONGEST_DISPLAY_NAME = 64
MACHINE = "mamori"
"""The actor of what is done at the box itself."""

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
"""Checked when nobody has the name, so that the answer takes as long as a wrong password's."""
UNKNOWN = Visitor()


def create_person(
    db: Database,
    *,
    name: str,
    display_name: str,
    role: Role,
    password: str,
    must_change: bool,
    now: datetime,
    by: str = MACHINE,
) -> Person:
    """Create someone who may log in; raise `AccessError` for a taken name or a short password."""
    _refuse_weak(password)
    _refuse_name(name, display_name)
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
        audit.append(db, at=now, actor=by, action="person.created", subject=name, detail={"role": role.value})
    return person


def log_in(db: Database, *, name: str, password: str, now: datetime, visitor: Visitor = UNKNOWN) -> tuple[Person, str]:
    """Return the person and a new session's token; raise `AccessError` for a wrong name or password or a lock.

    The session is pending if the person has a second factor; `services.second_factor.log_in` goes on from there.
    """
    lockout.refuse_locked_address(db, visitor.address, now=now)
    person = _present(db, name)
    if person and lockout.is_locked(person, now):
        raise lockout.locked_out()
    right = _matches(person.password_hash if person else _NOBODY, password)
    with writing(db):
        # Read again under the lock: guesses made at the same time must all count.
        person = _present(db, name)
        locked = person is not None and lockout.is_locked(person, now)
        token = ""
        if person is not None and right and not locked:
            # With a second factor the count is cleared by that one: guessing codes must not start afresh each time.
            pending = second_factors.confirmed(db, name)
            person = person if pending else lockout.forget(db, person)
            token = sessions.begin(db, person, visitor, now=now, pending=pending)
        elif not locked:
            lockout.note_failure(db, person, visitor.address, now=now)
    if locked:
        raise lockout.locked_out()
    if person is None or not token:
        raise _wrong()
    return person, token


def prove(db: Database, *, name: str, password: str, now: datetime, visitor: Visitor) -> None:
    """Raise `AccessError` unless it is the person's password.

    It counts like at the log-in: whoever has got hold of a session must not guess on from there.
    """
    person = staff.find(db, name)
    if lockout.is_locked(person, now):
        raise lockout.locked_out()
    if not _matches(person.password_hash, password):
        with writing(db):
            lockout.note_failure(db, staff.find(db, name), visitor.address, now=now)
        raise AccessError(
            Text("現在のパスワードが違います。", "The present password is wrong."),
            Text("入力し直してください。", "Try again."),
        )


def change_password(db: Database, *, name: str, old: str, new: str, now: datetime, visitor: Visitor = UNKNOWN) -> None:
    """Change one's own password and end one's sessions; raise `AccessError` if `old` is wrong or `new` short.

    A wrong `old` counts like a wrong password at the log-in.
    """
    prove(db, name=name, password=old, now=now, visitor=visitor)
    _refuse_weak(new)
    if new == old:
        raise AccessError(
            Text("新しいパスワードが現在と同じです。", "The new password is the present one."),
            Text("別のパスワードにしてください。", "Choose another."),
        )
    hashed = _HASHER.hash(new)
    with writing(db):
        people.save(db, replace(staff.find(db, name), password_hash=hashed, must_change=False, failed=0))
        people.end_sessions_of(db, name)
        audit.append(db, at=now, actor=name, action="password.changed", subject=name)


def reset_password(db: Database, *, name: str, now: datetime, by: str = MACHINE) -> str:
    """Return a new one-time password for someone; their sessions end. Raises `AccessError` for an unknown name."""
    password = one_time_password()
    hashed = _HASHER.hash(password)
    with writing(db):
        person = staff.find(db, name)
        people.save(db, replace(person, password_hash=hashed, must_change=True, failed=0, locked_until=None))
        people.end_sessions_of(db, name)
        audit.append(db, at=now, actor=by, action="password.reset", subject=name)
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


def _wrong() -> AccessError:
    return AccessError(
        Text("ログイン名またはパスワードが違います。", "The log-in name or the password is wrong."),
        Text(
            "入力し直してください。忘れたときは管理者に「mamori people reset」を頼んでください。",
            "Try again. If it is forgotten, ask an administrator for “mamori people reset”.",
        ),
    )


def _refuse_name(name: str, display_name: str) -> None:
    # Actors of the audit chain are log-in names, `mamori` for the box and `panel:…`: none must pass for another.
    if not NAME.fullmatch(name) or name == MACHINE:
        raise AccessError(
            Text(f"ログイン名「{name}」は使えません。", f"{name!r} cannot be a log-in name."),
            Text(
                "英小文字・数字・.-_ の32文字までにしてください。",
                "Use up to 32 small letters, digits, dots, hyphens and underscores.",
            ),
        )
    if not 0 < len(display_name) <= LONGEST_DISPLAY_NAME or not display_name.isprintable():
        raise AccessError(
            Text("画面に出る名前を使えません。", "That name cannot be shown."),
            Text(f"{LONGEST_DISPLAY_NAME}文字までにしてください。", f"Use up to {LONGEST_DISPLAY_NAME} characters."),
        )


def _refuse_weak(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD:
        raise AccessError(
            Text(f"パスワードは{MINIMUM_PASSWORD}文字以上にしてください。", f"At least {MINIMUM_PASSWORD} characters."),
            Text("長い文を使うと覚えやすくなります。", "A long sentence is easy to remember."),
        )
    if len(set(password)) < DIFFERENT:
        raise AccessError(
            Text("同じ文字の繰り返しが多すぎます。", "Too few different characters."),
            Text(f"{DIFFERENT}種類以上の文字を使ってください。", f"Use at least {DIFFERENT} different ones."),
        )


def _present(db: Database, name: str) -> Person | None:
    person = people.find(db, name)
    return None if person is None or person.retired else person
