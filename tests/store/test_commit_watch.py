"""What others commit is read once, and what is committed meanwhile or could not be read is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.errors import StoreError, Text
from edge_agent.services import incidents
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, open_main
from tests.builders import BOX, START, an_alert


class Floor:
    """Somebody who writes, and somebody who looks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer, self.reader = open_main(folder), open_main(folder)
        self.watch = CommitWatch()
        self.seen: list[int] = []

    def write(self, alert_id: str, *, by: Database | None = None) -> None:
        incidents.open_incident(by or self.writer, an_alert(alert_id), box=BOX, now=START)

    def read(self, db: Database) -> None:
        self.seen.append(db.table("incidents").count)

    def look(self) -> bool:
        return self.watch.look(self.reader, self.read)

    def close(self) -> None:
        self.writer.close()
        self.reader.close()


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    yield made
    made.close()


def test_what_another_has_committed_is_read_once(floor: Floor) -> None:
    assert floor.look(), "the first look reads"
    assert not floor.look()
    floor.write("alert-1")
    assert floor.look()
    assert not floor.look()
    assert floor.seen == [0, 1]


def test_what_the_reader_commits_itself_is_read_when_it_says_so(floor: Floor) -> None:
    floor.look()
    floor.write("alert-1", by=floor.reader)
    assert not floor.look()
    floor.watch.read_again()
    assert floor.look()
    assert floor.seen == [0, 1]


def test_what_is_committed_while_it_is_read_is_read_at_the_next_look(floor: Floor) -> None:
    def read(db: Database) -> None:
        floor.read(db)
        floor.write("alert-1")

    assert floor.watch.look(floor.reader, read)
    assert floor.look()
    assert floor.seen == [0, 1]


def test_what_could_not_be_read_is_read_at_the_next_look(floor: Floor) -> None:
    def fails(_db: Database) -> None:
        raise StoreError(Text("", ""), Text("", ""))

    floor.look()
    floor.write("alert-1")
    with pytest.raises(StoreError):
        floor.watch.look(floor.reader, fails)
    assert floor.look()
    assert floor.seen == [0, 1]


def test_another_connection_is_read_whatever_its_version(floor: Floor) -> None:
    floor.look()
    other = open_main(floor.folder)
    assert other.version() == floor.reader.version()
    assert floor.watch.look(other, floor.read)
    other.close()
