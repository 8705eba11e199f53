"""A thread goes on through a database that cannot be used for a while, and through nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.errors import StoreError, Text
from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.store.database import Database, open_main
from tests.fakes import Moments

FULL = StoreError(Text("満杯", "full"), Text("空ける", "make room"))


def three_rounds(data: Path, step: Callable[[Database], object]) -> None:
    make_rounds(
        Moments(*[lambda: None] * 3),  # type: ignore[arg-type]
        step,
        every_s=1.0,
        open_database=lambda: open_main(data),
        log=Log("watch"),
        unusable="watch.unwritten",
    )


def test_a_database_that_cannot_be_used_is_tried_again_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Database] = []

    def step(db: Database) -> None:
        seen.append(db)
        if len(seen) == 1:
            raise FULL

    three_rounds(tmp_path, step)
    assert len(seen) == 3
    assert caplog.messages == ["watch.unwritten error=StoreError"]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        seen[0].version()


def test_an_error_of_the_database_itself_is_tried_again_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Database] = []

    def step(db: Database) -> None:
        seen.append(db)
        raise sqlite3.OperationalError("database is locked")

    three_rounds(tmp_path, step)
    assert len(seen) == 3
    assert caplog.messages == ["watch.unwritten error=StoreError"] * 3


def test_any_other_error_ends_the_thread(tmp_path: Path) -> None:
    rounds: list[Database] = []

    def step(db: Database) -> None:
        rounds.append(db)
        raise KeyError

    with pytest.raises(KeyError):
        three_rounds(tmp_path, step)
    assert len(rounds) == 1
