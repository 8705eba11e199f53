"""Integrations: what may announce calls and ask for pauses, and how it shows who it is.

Rules:
1. A token is shown once, when the integration is added. What is kept is its SHA-256: it is random and long, so that
   nothing slower is needed, and a copy of the database lets nobody in.
2. Wrong tokens are counted by address as wrong passwords are (`lockout`), but apart from them: a computer whose token
   was taken back must not lock out whoever logs in there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from edge_agent.domain.device import DeviceKind
from edge_agent.errors import AccessError, AskError, DeviceError, Text
from edge_agent.services import lockout
from edge_agent.services.devices import register
from edge_agent.settings import Settings
from edge_agent.store import announcements
from edge_agent.store.announcements import Integration
from edge_agent.store.database import Database, reading, writing

TOKEN_BYTES = 32
NO_TOKEN = "no_token"  # noqa: S105 - names of refusals
WRONG_TOKEN = "wrong_token"  # noqa: S105
LOCKED = "locked"


def refuse_strangers(seats: Sequence[str], settings: Settings) -> None:
    """Raise `DeviceError` for a seat that is not in the settings."""
    if strangers := set(seats) - {seat.seat for seat in settings.seats}:
        raise DeviceError(
            Text(f"席「{min(strangers)}」は設定にありません。", f"Seat {min(strangers)!r} is not in the settings."),
            Text("設定の [[seats]] を確認してください。", "See [[seats]] in the settings."),
        )


def admit(db: Database, *, name: str, seats: Sequence[str] = (), by: str, now: datetime) -> str:
    """Keep an integration that was given an identity; return its token, which takes the place of an earlier one.

    `seats` are those it may speak for; empty: all.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    register(db, name=name, kind=DeviceKind.INTEGRATION, by=by, now=now)
    with writing(db):
        announcements.put_integration(db, Integration(name=name, token_hash=_hash(token), seats=tuple(seats)))
    return token


def who(db: Database, token: str, *, address: str, now: datetime) -> Integration:
    """Return whose token it is; `address` is where it came from.

    Raises:
        AskError: it is nobody's, or too many wrong ones came from there.
    """
    counted = f"token {address}"
    try:
        lockout.refuse_locked_address(db, counted, now=now)
    except AccessError as error:
        raise AskError(LOCKED, error.what, error.remedy) from error
    given = _hash(token)
    with reading(db):
        # Every one is compared, each in constant time.
        found = [each for each in announcements.integrations(db) if hmac.compare_digest(each.token_hash, given)]
    if found:
        return found[0]
    with writing(db):
        lockout.note_failure(db, None, counted, now=now)
    raise AskError(
        WRONG_TOKEN,
        Text("トークンが正しくないか、取り消されています。", "The token is wrong, or has been revoked."),
        Text(
            "「mamori device add 名前 --kind integration」で新しいトークンを作ってください。",
            "Make a new one with “mamori device add NAME --kind integration”.",
        ),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
