"""One person with a password, for the tests of log-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.domain.roles import Role
from edge_agent.services import accounts
from tests.builders import START

if TYPE_CHECKING:
    from edge_agent.store.database import Database

PASSWORD = "きょうは大阪も晴れています"


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
