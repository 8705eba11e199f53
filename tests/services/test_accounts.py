"""Who gets in: passwords, lock-out, sessions; nothing in the database lets anybody in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import extract_parameters

from edge_agent.domain.roles import Role
from edge_agent.errors import AccessError, StoreError
from edge_agent.services import accounts, sessions
from edge_agent.services.lockout import FAILURES, LOCK_OUT
from edge_agent.services.sessions import IDLE, SESSION, TOUCH
from edge_agent.store import audit, people
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.passwords import hash_quickly
from tests.services.sato import PASSWORD

WRONG = "まちがったパスワードです"


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    hash_quickly(monkeypatch)
    database = open_main(tmp_path)
    yield database
    database.close()


@pytest.fixture
def sato(db: Database) -> str:
    accounts.create_person(
        db, name="sato", display_name="佐藤", role=Role.SUPERVISOR, password=PASSWORD, must_change=False, now=START
    )
    return "sato"


def guess(db: Database, times: int, *, seconds: float = 0.0) -> None:
    for _ in range(times):
        with pytest.raises(AccessError):
            accounts.log_in(db, name="sato", password=WRONG, now=START + timedelta(seconds=seconds))


def actions(db: Database) -> list[str]:
    return [entry.action for entry in audit.entries(db)]


def test_the_right_password_opens_a_session_that_says_who_it_is(db: Database, sato: str) -> None:
    person, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    assert (person.name, person.role, person.must_change) == ("sato", Role.SUPERVISOR, False)
    assert sessions.who(db, token, now=START) == person
    assert actions(db) == ["person.created", "session.began"]


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(db: Database, sato: str) -> None:
    told = []
    for name in (sato, "nobody"):
        with pytest.raises(AccessError) as refused:
            accounts.log_in(db, name=name, password=WRONG, now=START)
        told.append((refused.value.what, refused.value.remedy))
    assert told[0] == told[1]
    assert actions(db) == ["person.created", "session.refused"]


def test_after_five_wrong_passwords_even_the_right_one_waits_five_minutes(db: Database, sato: str) -> None:
    guess(db, FAILURES)
    last_moment = START + LOCK_OUT - timedelta(seconds=1)
    with pytest.raises(AccessError, match="Locked for now"):
        accounts.log_in(db, name=sato, password=PASSWORD, now=last_moment)
    person, _ = accounts.log_in(db, name=sato, password=PASSWORD, now=START + LOCK_OUT)
    assert (person.failed, person.locked_until) == (0, None)
    assert actions(db)[1:] == ["session.refused"] * (FAILURES - 1) + ["account.locked", "session.began"]


def test_four_wrong_passwords_are_forgiven_by_a_right_one(db: Database, sato: str) -> None:
    for _ in range(2):
        guess(db, FAILURES - 1)
        accounts.log_in(db, name=sato, password=PASSWORD, now=START)


def test_a_lock_that_came_while_a_password_was_checked_holds(db: Database, sato: str, tmp_path: Path) -> None:
    """Guesses made at the same time all pass the first look; the second look stops them."""
    other = open_main(tmp_path)
    matches = accounts._matches

    def check_slowly(password_hash: str, password: str) -> bool:
        accounts._matches = matches
        guess(other, FAILURES)
        return matches(password_hash, password)

    accounts._matches = check_slowly
    try:
        with pytest.raises(AccessError, match="Locked for now"):
            accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    finally:
        accounts._matches = matches
        other.close()
    assert "session.began" not in actions(db)


def test_two_wrong_guesses_at_the_same_time_count_as_two(db: Database, sato: str, tmp_path: Path) -> None:
    other = open_main(tmp_path)
    matches = accounts._matches

    def check_slowly(password_hash: str, password: str) -> bool:
        accounts._matches = matches
        guess(other, 1)
        return matches(password_hash, password)

    accounts._matches = check_slowly
    try:
        guess(db, 1)
    finally:
        accounts._matches = matches
        other.close()
    assert people.find(db, sato).failed == 2


def test_a_session_ends_after_twelve_hours(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    for minutes in range(0, 12 * 60, 55):
        assert sessions.who(db, token, now=START + timedelta(minutes=minutes))
    assert sessions.who(db, token, now=START + SESSION - timedelta(seconds=1))
    assert sessions.who(db, token, now=START + SESSION) is None


def test_a_session_nothing_is_heard_of_ends_after_an_hour(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    assert sessions.who(db, token, now=START + IDLE - timedelta(seconds=1))
    assert sessions.who(db, token, now=START + 2 * IDLE - timedelta(seconds=2))
    assert sessions.who(db, token, now=START + 3 * IDLE) is None
    assert sessions.of(db, sato, now=START + 3 * IDLE) == []


def test_a_panel_on_the_wall_stays_for_a_month(db: Database) -> None:
    accounts.create_person(
        db, name="wall", display_name="壁", role=Role.VIEWER, password=PASSWORD, must_change=False, now=START
    )
    _, token = accounts.log_in(db, name="wall", password=PASSWORD, now=START)
    for days in range(0, 30, 2):
        assert sessions.who(db, token, now=START + timedelta(days=days))
    assert sessions.who(db, token, now=START + timedelta(days=30)) is None


def test_nobody_gets_in_by_the_token_of_a_session_that_was_left(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    sessions.end(db, token, now=START)
    sessions.end(db, token, now=START)
    assert sessions.who(db, token, now=START) is None
    assert sessions.who(db, "made up", now=START) is None
    assert actions(db).count("session.ended") == 1


def test_when_a_session_was_last_seen_is_kept_to_five_minutes(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)

    def last_seen() -> str:
        return people.find_session(db, sessions.token_hash(token)).last_seen

    sessions.who(db, token, now=START + TOUCH)
    assert last_seen() == START.isoformat()
    sessions.who(db, token, now=START + TOUCH + timedelta(seconds=1))
    assert last_seen() == (START + TOUCH + timedelta(seconds=1)).isoformat()


def test_a_full_disk_shuts_nobody_out_who_is_in(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    db.conn.execute("PRAGMA query_only=ON")
    for minutes in range(0, 200, 50):
        assert sessions.who(db, token, now=START + timedelta(minutes=minutes)).name == "sato"
    with pytest.raises(StoreError):
        sessions.end(db, token, now=START)


def test_a_one_time_password_lets_in_and_must_be_changed(db: Database, sato: str) -> None:
    _, old_session = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    guess(db, FAILURES)
    once = accounts.reset_password(db, name=sato, now=START)
    assert sessions.who(db, old_session, now=START) is None
    person, session = accounts.log_in(db, name=sato, password=once, now=START)
    assert person.must_change
    accounts.change_password(db, name=sato, old=once, new="あたらしい長い合い言葉です", now=START)
    assert sessions.who(db, session, now=START) is None
    person, _ = accounts.log_in(db, name=sato, password="あたらしい長い合い言葉です", now=START)
    assert not person.must_change
    with pytest.raises(AccessError):
        accounts.log_in(db, name=sato, password=once, now=START)


def test_one_time_passwords_differ_and_can_be_read_out() -> None:
    several = {accounts.one_time_password() for _ in range(50)}
    assert len(several) == 50
    assert all(len(p) >= accounts.MINIMUM_PASSWORD and not set(p) & set("0O1lIio") for p in several)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (WRONG, "あたらしい長い合い言葉です", "present password is wrong"),
        (PASSWORD, "みじかい", "At least 12 characters"),
        (PASSWORD, PASSWORD, "is the present one"),
        (PASSWORD, "ababababababab", "Too few different characters"),
    ],
)
def test_a_password_is_not_changed_without_the_old_one_a_long_one_and_another_one(
    db: Database, sato: str, old: str, new: str, why: str
) -> None:
    with pytest.raises(AccessError, match=why):
        accounts.change_password(db, name=sato, old=old, new=new, now=START)
    accounts.log_in(db, name=sato, password=PASSWORD, now=START)


def test_a_name_is_given_once(db: Database, sato: str) -> None:
    with pytest.raises(AccessError, match="is taken"):
        accounts.create_person(
            db, name=sato, display_name="別人", role=Role.VIEWER, password=PASSWORD, must_change=True, now=START
        )
    assert people.find(db, sato).display_name == "佐藤"


def test_a_short_password_creates_nobody(db: Database) -> None:
    with pytest.raises(AccessError):
        accounts.create_person(
            db, name="abe", display_name="安倍", role=Role.VIEWER, password="short", must_change=True, now=START
        )
    assert people.everyone(db) == []


def test_the_password_of_nobody_cannot_be_reset(db: Database) -> None:
    with pytest.raises(AccessError, match="Nobody is called 'abe'"):
        accounts.reset_password(db, name="abe", now=START)


def test_neither_passwords_nor_tokens_are_in_the_database(db: Database, sato: str) -> None:
    _, token = accounts.log_in(db, name=sato, password=PASSWORD, now=START)
    once = accounts.reset_password(db, name=sato, now=START)
    everything = "\n".join(db.conn.iterdump())
    assert "$argon2id$" in everything
    for secret in (PASSWORD, token, once):
        assert secret not in everything


def test_the_language_is_remembered(db: Database, sato: str) -> None:
    accounts.set_language(db, name=sato, language="en")
    assert people.find(db, sato).language == "en"


def test_shipped_passwords_are_hashed_as_rfc_9106_recommends() -> None:
    parameters = extract_parameters(accounts._NOBODY)
    assert parameters.memory_cost >= 64 * 1024
    assert parameters.time_cost >= 3


@pytest.mark.parametrize("name", ["mamori", "panel:wall", "", "佐藤", "a b", "A", "../a", "a" * 33, "a\n"])
def test_nobody_gets_a_name_that_could_pass_for_another(db: Database, name: str) -> None:
    with pytest.raises(AccessError, match="cannot be a log-in name"):
        accounts.create_person(
            db, name=name, display_name="誰か", role=Role.VIEWER, password=PASSWORD, must_change=True, now=START
        )


def test_the_present_password_cannot_be_guessed_from_an_open_session(db: Database, sato: str) -> None:
    for _ in range(FAILURES):
        with pytest.raises(AccessError, match="present password is wrong"):
            accounts.change_password(db, name=sato, old=WRONG, new="あたらしい長い合い言葉です", now=START)
    with pytest.raises(AccessError, match="Locked for now"):
        accounts.change_password(db, name=sato, old=PASSWORD, new="あたらしい長い合い言葉です", now=START)
