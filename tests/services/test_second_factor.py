"""The second factor: once on, a password alone lets nobody in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from edge_agent.errors import AccessError
from edge_agent.services import accounts, second_factor, sessions
from edge_agent.services.lockout import FAILURES
from edge_agent.services.sessions import PENDING, Visitor
from edge_agent.store import audit, people, second_factors
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.passwords import hash_quickly
from tests.services.sato import PASSWORD, add_sato

HERE = Visitor(address="192.0.2.7", browser="test")
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
LATER = START + timedelta(minutes=10)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    hash_quickly(monkeypatch)
    database = open_main(tmp_path)
    add_sato(database)
    yield database
    database.close()


def code(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


def turned_on(db: Database) -> tuple[str, tuple[str, ...]]:
    secret = second_factor.begin(db, name="sato", password=PASSWORD, now=START, visitor=HERE)
    return secret, second_factor.confirm(db, name="sato", code=code(secret, START), now=START)


def pending(db: Database, at: datetime = LATER) -> str:
    return accounts.log_in(db, name="sato", password=PASSWORD, now=at, visitor=HERE)[1]


def enter(db: Database, token: str, given: str, at: datetime = LATER) -> str:
    return second_factor.log_in(db, token, code=given, now=at, visitor=HERE)[1]


@pytest.mark.parametrize(("at_s", "expected"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_codes_are_those_of_rfc_6238(at_s: int, expected: str) -> None:
    assert pyotp.TOTP(RFC_SECRET).at(at_s) == expected


def test_a_password_alone_is_nobody_until_the_code_comes(db: Database) -> None:
    secret, _ = turned_on(db)
    token = pending(db)
    assert sessions.who(db, token, now=LATER) is None
    fresh = enter(db, token, code(secret, LATER))
    assert fresh != token
    assert sessions.who(db, fresh, now=LATER).name == "sato"
    assert sessions.who(db, token, now=LATER) is None
    with pytest.raises(AccessError, match="took too long"):
        enter(db, token, code(secret, LATER))


def test_it_is_asked_for_only_once_a_code_was_right(db: Database) -> None:
    second_factor.begin(db, name="sato", password=PASSWORD, now=START, visitor=HERE)
    with pytest.raises(AccessError, match="code is wrong"):
        second_factor.confirm(db, name="sato", code="000000", now=START)
    assert sessions.who(db, pending(db), now=LATER)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_clock_half_a_minute_off_does_no_harm(db: Database, seconds: int) -> None:
    secret, _ = turned_on(db)
    assert enter(db, pending(db), code(secret, LATER + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-90, 90])
def test_an_older_or_later_code_is_worth_nothing(db: Database, seconds: int) -> None:
    secret, _ = turned_on(db)
    with pytest.raises(AccessError, match="code is wrong"):
        enter(db, pending(db), code(secret, LATER + timedelta(seconds=seconds)))


def test_a_code_that_was_seen_over_the_shoulder_is_used_up(db: Database) -> None:
    secret, _ = turned_on(db)
    enter(db, pending(db), code(secret, LATER))
    with pytest.raises(AccessError, match="code is wrong"):
        enter(db, pending(db), code(secret, LATER))


def test_a_recovery_code_works_once_and_is_kept_only_as_a_hash(db: Database) -> None:
    _, codes = turned_on(db)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert not any(each in "\n".join(db.conn.iterdump()) for each in codes)
    assert enter(db, pending(db), f" {codes[0].upper()} ")
    with pytest.raises(AccessError, match="code is wrong"):
        enter(db, pending(db), codes[0])
    assert enter(db, pending(db), codes[1])
    assert [e.action for e in audit.of(db, "sato")].count("second_factor.recovered") == 2


def test_codes_are_not_guessed_however_often_the_password_is_given_again(db: Database) -> None:
    secret, _ = turned_on(db)
    for _ in range(FAILURES):
        with pytest.raises(AccessError, match="code is wrong"):
            enter(db, pending(db), "000000")
    with pytest.raises(AccessError, match="Locked for now"):
        pending(db)
    assert people.find(db, "sato").locked_until is not None
    assert second_factors.confirmed(db, "sato")
    assert code(secret, LATER) != "000000"


def test_a_lock_holds_for_a_session_that_already_owes_its_code(db: Database) -> None:
    secret, _ = turned_on(db)
    token = pending(db)
    for _ in range(FAILURES):
        with pytest.raises(AccessError):
            accounts.log_in(db, name="sato", password="wrong", now=LATER, visitor=HERE)
    with pytest.raises(AccessError, match="Locked for now"):
        enter(db, token, code(secret, LATER))


def test_the_code_has_to_come_soon(db: Database) -> None:
    secret, _ = turned_on(db)
    token = pending(db)
    with pytest.raises(AccessError, match="took too long"):
        enter(db, token, code(secret, LATER + PENDING), LATER + PENDING)


def test_turning_it_on_or_off_needs_the_password(db: Database) -> None:
    with pytest.raises(AccessError, match="password is wrong"):
        second_factor.begin(db, name="sato", password="wrong", now=START, visitor=HERE)
    turned_on(db)
    with pytest.raises(AccessError, match="password is wrong"):
        second_factor.end(db, name="sato", password="wrong", now=START, visitor=HERE)
    with pytest.raises(AccessError, match="on already"):
        second_factor.begin(db, name="sato", password=PASSWORD, now=START, visitor=HERE)
    second_factor.end(db, name="sato", password=PASSWORD, now=START, visitor=HERE)
    assert sessions.who(db, pending(db), now=LATER)


def test_an_administrator_takes_it_away_and_that_is_told(db: Database) -> None:
    turned_on(db)
    second_factor.take_away(db, name="sato", by="admin", now=START)
    assert sessions.who(db, pending(db), now=LATER)
    assert ("admin", "second_factor.off") in [(e.actor, e.action) for e in audit.of(db, "sato")]
