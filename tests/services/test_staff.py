"""People administered: what is taken away is gone at once, and somebody can always administer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError
from edge_agent.services import accounts, sessions, staff
from edge_agent.store import audit, people
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.passwords import hash_quickly

PASSWORD = "きょうは大阪も晴れています"


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    hash_quickly(monkeypatch)
    database = open_main(tmp_path)
    for name, role in (("admin", Role.ADMINISTRATOR), ("sato", Role.SUPERVISOR)):
        accounts.create_person(
            database, name=name, display_name=name, role=role, password=PASSWORD, must_change=False, now=START
        )
    yield database
    database.close()


def enter(db: Database, name: str = "sato") -> str:
    return accounts.log_in(db, name=name, password=PASSWORD, now=START)[1]


def last(db: Database) -> tuple[str, str, str]:
    entry = list(audit.entries(db))[-1]
    return entry.actor, entry.action, entry.subject


def test_another_role_ends_the_sessions_of_the_old_one(db: Database) -> None:
    token = enter(db)
    staff.change_role(db, name="sato", role=Role.AUDITOR, by="admin", now=START)
    assert sessions.who(db, token, now=START) is None
    assert last(db) == ("admin", "person.role", "sato")
    assert dict(list(audit.entries(db))[-1].detail) == {"before": "supervisor", "after": "auditor"}


def test_other_groups_end_them_too_and_a_strange_group_is_refused(db: Database) -> None:
    token = enter(db)
    staff.change_groups(db, name="sato", groups=["west", "east", "east"], known={"east", "west"}, by="admin", now=START)
    assert people.find(db, "sato").groups == ("east", "west")
    assert sessions.who(db, token, now=START) is None
    with pytest.raises(AccessError, match="No seat belongs to a group 'north'"):
        staff.change_groups(db, name="sato", groups=["north"], known={"east"}, by="admin", now=START)


def test_what_changes_nothing_ends_nothing(db: Database) -> None:
    token = enter(db)
    staff.change_role(db, name="sato", role=Role.SUPERVISOR, by="admin", now=START)
    staff.change_groups(db, name="sato", groups=[], known=(), by="admin", now=START)
    assert sessions.who(db, token, now=START)


def test_the_last_administrator_stays(db: Database) -> None:
    with pytest.raises(AccessError, match="last administrator"):
        staff.retire(db, name="admin", by="admin", now=START)
    with pytest.raises(AccessError, match="last administrator"):
        staff.change_role(db, name="admin", role=Role.VIEWER, by="admin", now=START)
    staff.change_role(db, name="sato", role=Role.ADMINISTRATOR, by="admin", now=START)
    staff.retire(db, name="admin", by="sato", now=START)
    assert [person.name for person in staff.present(db)] == ["sato"]


def test_whoever_retires_is_out_and_the_name_stays_theirs(db: Database) -> None:
    token = enter(db)
    staff.retire(db, name="sato", by="admin", now=START)
    assert sessions.who(db, token, now=START) is None
    with pytest.raises(AccessError, match="log-in name or the password is wrong"):
        enter(db)
    with pytest.raises(AccessError, match="is taken"):
        accounts.create_person(
            db, name="sato", display_name="別人", role=Role.VIEWER, password=PASSWORD, must_change=True, now=START
        )
    with pytest.raises(AccessError, match="Nobody is called 'sato'"):
        accounts.reset_password(db, name="sato", now=START)
    assert people.find(db, "sato").display_name == "sato"


def test_an_unlocked_person_may_try_at_once(db: Database) -> None:
    for _ in range(5):
        with pytest.raises(AccessError):
            accounts.log_in(db, name="sato", password="wrong", now=START)
    staff.unlock(db, name="sato", by="admin", now=START)
    assert enter(db)


def test_one_session_is_ended_by_its_id_and_the_others_go_on(db: Database) -> None:
    first, second, foreign = enter(db), enter(db), enter(db, "admin")
    sessions.revoke(db, name="sato", session_id=sessions.name_of(first), by="admin", now=START)
    assert sessions.who(db, first, now=START) is None
    assert sessions.who(db, second, now=START)
    assert last(db) == ("admin", "session.revoked", "sato")
    with pytest.raises(AccessError, match="already ended"):
        sessions.revoke(db, name="sato", session_id=sessions.name_of(foreign), by="sato", now=START)
    assert sessions.who(db, foreign, now=START)


def test_all_others_are_ended_at_once(db: Database) -> None:
    here, elsewhere = enter(db), enter(db)
    assert sessions.revoke_all(db, name="sato", by="sato", now=START, but=here) == 1
    assert sessions.who(db, here, now=START)
    assert sessions.who(db, elsewhere, now=START) is None
    assert sessions.revoke_all(db, name="sato", by="sato", now=START, but=here) == 0
