"""One person with a password, for the tests of log-ins, and a hash that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from edge_agent.domain.roles import Role
from edge_agent.services import accounts
from tests.builders import START

if TYPE_CHECKING:
    import pytest

    from edge_agent.store.database import Database

PASSWORD = "きょうは大阪も晴れています"


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with next to no work: the real one takes 64 MiB and a tenth of a second each time, on purpose."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "_HASHER", quick)
    monkeypatch.setattr(accounts, "_NOBODY", quick.hash("nobody's"))


def add_sato(db: Database) -> None:
    """Add a supervisor who has chosen a password already."""
    accounts.create_person(
        db,
        name="sato",
        display_name="佐藤",
        role=Role.SUPERVISOR,
        password=PASSWORD,
        must_change=False,
        now=START,
    )
