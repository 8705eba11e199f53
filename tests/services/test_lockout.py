"""Guessing is stopped for the person and for the address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge_agent.errors import AccessError
from edge_agent.services import accounts
from edge_agent.services.lockout import ADDRESS_FAILURES, ADDRESS_LOCK_OUT, WINDOW
from edge_agent.services.sessions import Visitor
from edge_agent.store import audit
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.passwords import hash_quickly
from tests.services.sato import PASSWORD, add_sato

HERE, THERE = Visitor(address="192.0.2.7"), Visitor(address="192.0.2.8")


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    hash_quickly(monkeypatch)
    database = open_main(tmp_path)
    add_sato(database)
    yield database
    database.close()


def spray(db: Database, times: int, *, seconds: float = 0.0, visitor: Visitor = HERE) -> None:
    """Try one password on many names, as somebody does who does not want to lock any of them."""
    for number in range(times):
        with pytest.raises(AccessError):
            accounts.log_in(
                db,
                name=f"name-{number}",
                password="password1234",
                now=START + timedelta(seconds=seconds),
                visitor=visitor,
            )


def enters(db: Database, visitor: Visitor, *, after: timedelta = timedelta()) -> bool:
    try:
        accounts.log_in(db, name="sato", password=PASSWORD, now=START + after, visitor=visitor)
    except AccessError:
        return False
    return True


def test_one_password_tried_on_many_names_locks_the_address_and_no_other(db: Database) -> None:
    spray(db, ADDRESS_FAILURES - 1)
    assert enters(db, HERE)
    spray(db, 1)
    assert not enters(db, HERE)
    assert enters(db, THERE)
    assert not enters(db, HERE, after=ADDRESS_LOCK_OUT - timedelta(seconds=1))
    assert enters(db, HERE, after=ADDRESS_LOCK_OUT)


def test_failures_of_a_whole_day_lock_nobody(db: Database) -> None:
    for turn in range(10):
        spray(db, ADDRESS_FAILURES - 1, seconds=turn * WINDOW.total_seconds())
        assert enters(db, HERE, after=turn * WINDOW)


def test_a_locked_address_costs_no_hashing_and_leaves_one_entry(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    spray(db, ADDRESS_FAILURES)

    def expensive(*_: str) -> bool:
        raise AssertionError

    monkeypatch.setattr(accounts, "_matches", expensive)
    spray(db, 50)
    locked = [entry for entry in audit.entries(db) if entry.action == "address.locked"]
    assert [entry.subject for entry in locked] == ["192.0.2.7"]


def test_what_was_typed_as_a_name_is_kept_nowhere(db: Database) -> None:
    with pytest.raises(AccessError):
        accounts.log_in(db, name="my secret password", password="x", now=START, visitor=HERE)
    assert "my secret password" not in "\n".join(db.conn.iterdump())


def test_where_a_log_in_and_a_failure_came_from_is_audited(db: Database) -> None:
    with pytest.raises(AccessError):
        accounts.log_in(db, name="sato", password="wrong", now=START, visitor=THERE)
    assert enters(db, HERE)
    told = [(entry.action, entry.detail["address"]) for entry in audit.of(db, "sato") if "address" in entry.detail]
    assert told == [("session.refused", "192.0.2.8"), ("session.began", "192.0.2.7")]
