"""An integration shows its token; wrong ones are counted, and lock nobody out but whoever tries tokens there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.errors import AskError
from edge_agent.services import announcements as calls
from edge_agent.services import integrations, lockout
from edge_agent.services.announcements import Announcement
from edge_agent.services.devices import register, revoke
from edge_agent.services.lockout import ADDRESS_FAILURES, ADDRESS_LOCK_OUT
from edge_agent.store import announcements, audit, devices
from edge_agent.store.database import Database, open_main
from tests.builders import START, after

HERE, THERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def refusal(db: Database, token: str, *, address: str = HERE, seconds: float = 0.0) -> str:
    with pytest.raises(AskError) as refused:
        integrations.who(db, token, address=address, now=after(seconds))
    return refused.value.code


def test_a_token_says_whose_it_is_and_a_newer_one_takes_its_place(db: Database) -> None:
    old = integrations.admit(db, name="pbx", seats=["01"], by="it", now=START)
    other = integrations.admit(db, name="cti", by="it", now=START)
    found = integrations.who(db, old, address=HERE, now=START)
    assert (found.name, found.may("01"), found.may("02")) == ("pbx", True, False)
    assert integrations.who(db, other, address=HERE, now=START).may("02")
    new = integrations.admit(db, name="pbx", by="it", now=START)
    assert integrations.who(db, new, address=HERE, now=START).name == "pbx"
    assert refusal(db, old) == "wrong_token"


def test_a_revoked_token_lets_nobody_in_any_more(db: Database) -> None:
    token = integrations.admit(db, name="pbx", by="it", now=START)
    revoke(db, name="pbx", by="it", now=START)
    assert refusal(db, token) == "wrong_token"
    assert [entry.action for entry in audit.of(db, "pbx")] == ["device.added", "device.revoked"]


def test_a_name_that_becomes_another_kind_of_device_loses_its_token(db: Database) -> None:
    integrations.admit(db, name="pbx", by="it", now=START)
    register(db, name="pbx", kind=DeviceKind.PANEL, by="it", now=START)
    assert announcements.integrations(db) == []


@pytest.mark.parametrize("token", ["", " ", "a", "x" * 10_000, "\udcff", "日本語"])
def test_whatever_is_shown_is_no_token(db: Database, token: str) -> None:
    integrations.admit(db, name="pbx", by="it", now=START)
    assert refusal(db, token) == "wrong_token"


def test_guessing_tokens_ends_at_a_lock_of_the_address_for_tokens_alone(db: Database) -> None:
    token = integrations.admit(db, name="pbx", by="it", now=START)
    assert {refusal(db, f"guess-{number}") for number in range(ADDRESS_FAILURES)} == {"wrong_token"}
    assert refusal(db, "guess") == refusal(db, token) == "locked"
    assert integrations.who(db, token, address=THERE, now=START).name == "pbx"
    lockout.refuse_locked_address(db, HERE, now=START)  # whoever logs in there is not locked out
    later = START + ADDRESS_LOCK_OUT
    assert integrations.who(db, token, address=HERE, now=later).name == "pbx"
    assert [entry.subject for entry in audit.entries(db) if entry.action == "address.locked"] == [f"token {HERE}"]


def test_an_integration_is_in_use_once_it_has_announced_something_and_is_never_missing(db: Database) -> None:
    integrations.admit(db, name="pbx", by="it", now=START)
    known = devices.find(db, "pbx")
    assert known
    assert known.presence is Presence.NEVER
    calls.start(db, Announcement(seat="01", by="pbx"), now=after(5))
    known = devices.find(db, "pbx")
    assert known
    assert (known.presence, known.last_seen) == (Presence.HEARD, after(5))
