"""What must survive does: two writers at once, a process killed at any moment, a disk that is full."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.audit import first_break
from edge_agent.errors import StoreError
from edge_agent.services.incidents import open_incident
from edge_agent.store import audit, incidents, outbox
from edge_agent.store.database import Database, open_live, open_main, writing
from tests.builders import BOX, START, an_alert, an_incident

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path / "data")
    yield database
    database.close()


def another_process(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.store.another_process", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(*arguments: str, prefix: tuple[str, ...] = ()) -> list[str]:
    process = another_process(*arguments, prefix=prefix)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.splitlines()


def assert_each_incident_has_its_message_and_its_entry(db: Database) -> set[str]:
    kept = {incident.incident_id for incident in incidents.recent(db, 10_000)}
    assert {row.topic.rsplit("/", 1)[1] for row in outbox.unsent(db, limit=10_000)} == kept
    entries = list(audit.entries(db))
    assert {entry.subject for entry in entries} == kept
    assert first_break(entries) is None
    return kept


def test_an_error_in_the_middle_of_a_transaction_keeps_nothing_of_it(db: Database) -> None:
    def write_three_and_fail() -> None:
        with writing(db):
            incidents.save(db, an_incident())
            outbox.put(db, topic="t", payload="{}", now=START)
            audit.append(db, at=START, actor="mamori", action="incident.opened", subject="alert-1")
            raise KeyError("something else went wrong")

    with pytest.raises(KeyError):
        write_three_and_fail()
    assert incidents.recent(db, 10) == []
    assert outbox.count_unsent(db) == 0
    assert list(audit.entries(db)) == []
    assert not db.conn.in_transaction


def test_a_process_killed_in_the_middle_of_a_transaction_leaves_what_was_committed_and_no_more(tmp_path: Path) -> None:
    with another_process("stop_half_way", str(tmp_path)) as process:
        assert process.stdout
        assert process.stdout.readline() == "in the middle\n"
        process.kill()
    db = open_main(tmp_path)
    assert [incident.incident_id for incident in incidents.recent(db, 10)] == ["whole"]
    assert [row.topic.rsplit("/", 2)[1:] for row in outbox.unsent(db)] == [
        ["alert", "whole"],
        ["words", "whole"],
        ["alert", "whole"],
    ]
    assert [entry.action for entry in audit.entries(db)] == ["incident.opened", "incident.acknowledged"]
    assert first_break(audit.entries(db)) is None
    # The lock died with its holder: the next alert is kept at once.
    open_incident(db, an_alert("next"), box=BOX, now=START)
    db.close()


def test_a_process_killed_among_many_transactions_loses_none_it_has_told_of(tmp_path: Path) -> None:
    with another_process("write", str(tmp_path), "kill", "100000") as process:
        assert process.stdout
        told = {process.stdout.readline().strip() for _ in range(60)}
        process.kill()
        told |= {line.strip() for line in process.stdout if line.endswith("\n")}
    db = open_main(tmp_path)
    kept = assert_each_incident_has_its_message_and_its_entry(db)
    assert told <= kept
    assert len(kept - told) <= 1  # committed, and killed before it could tell
    db.close()


@pytest.mark.journey
def test_two_processes_that_create_and_write_at_once_both_get_everything_in(tmp_path: Path) -> None:
    writers = [another_process("write", str(tmp_path), name, "25") for name in ("agent", "web")]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    db = open_main(tmp_path)
    assert len(assert_each_incident_has_its_message_and_its_entry(db)) == 50
    db.close()


def test_whoever_opens_what_another_is_creating_waits_for_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "mamori.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done: list[str] = []

    def create() -> None:
        done.append("created")
        other.execute("COMMIT")

    creating = threading.Timer(0.3, create)
    creating.start()
    open_main(tmp_path).close()
    done.append("opened")
    creating.join()
    other.close()
    assert done == ["created", "opened"]


def test_another_connection_sees_that_something_was_committed(tmp_path: Path) -> None:
    agent, web = open_main(tmp_path), open_main(tmp_path)
    before, own = web.version(), agent.version()
    open_incident(agent, an_alert(), box=BOX, now=START)
    assert web.version() != before
    assert agent.version() == own
    agent.close()
    web.close()


def test_a_full_disk_refuses_the_new_keeps_the_old_and_goes_on_when_there_is_room(db: Database) -> None:
    open_incident(db, an_alert("before"), box=BOX, now=START)
    pages = db.conn.execute("PRAGMA page_count").fetchone()[0]
    db.conn.execute(f"PRAGMA max_page_count={pages}")
    refused = an_alert("during", quotes=("ながい" * 5000,))
    with pytest.raises(StoreError) as full:
        open_incident(db, refused, box=BOX, now=START)
    assert "空きを作る" in full.value.remedy.ja
    assert "Make room" in full.value.remedy.en
    assert "mamori.db" in full.value.what.ja
    assert assert_each_incident_has_its_message_and_its_entry(db) == {"before"}
    db.conn.execute("PRAGMA max_page_count=1000000")
    open_incident(db, refused, box=BOX, now=START)
    assert assert_each_incident_has_its_message_and_its_entry(db) == {"before", "during"}


def test_a_disk_that_was_full_from_the_first_alert_on_leaves_no_half_alert_behind(db: Database) -> None:
    pages = db.conn.execute("PRAGMA page_count").fetchone()[0]
    db.conn.execute(f"PRAGMA max_page_count={pages}")
    first = an_alert(quotes=("ながい" * 5000,))
    with pytest.raises(StoreError):
        open_incident(db, first, box=BOX, now=START)
    db.conn.execute("PRAGMA max_page_count=1000000")
    open_incident(db, first, box=BOX, now=START)
    assert assert_each_incident_has_its_message_and_its_entry(db) == {"alert-1"}


@pytest.mark.journey
def test_a_file_the_system_lets_grow_no_further_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    written, said = answer("fill_up", str(tmp_path))
    assert "空き" in said
    db = open_main(tmp_path)
    assert len(assert_each_incident_has_its_message_and_its_entry(db)) == int(written) > 0
    db.close()


def test_a_folder_that_may_not_be_written_is_a_clear_error(tmp_path: Path) -> None:
    # Root may write anywhere; without that privilege it is a user like the agent's.
    prefix = ("setpriv", "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    [said] = answer("only_open", str(folder), prefix=prefix)
    assert f"{folder}/mamori.db cannot be used" in said
    assert "Check the folder's owner and free space." in said


def test_a_file_in_place_of_the_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be used"):
        open_main(tmp_path / "data")


def test_a_damaged_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mamori.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="restore from a backup"):
        open_main(tmp_path)


def test_a_write_to_a_read_only_database_is_a_clear_error(db: Database) -> None:
    db.conn.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="readonly"):
        open_incident(db, an_alert(), box=BOX, now=START)


def test_only_the_appliance_may_read_the_databases(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        main, live = open_main(tmp_path / "data"), open_live(tmp_path / "run")
        open_incident(main, an_alert(), box=BOX, now=START)
        files = [*(tmp_path / "data").iterdir(), *(tmp_path / "run").iterdir()]
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
        main.close()
        live.close()
    finally:
        os.umask(old)
    assert set(modes) >= {"mamori.db", "mamori.db-wal", "live.db"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_what_must_survive_is_written_through_to_the_disk(db: Database) -> None:
    assert db.conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.conn.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    first = open_main(tmp_path)
    open_incident(first, an_alert(), box=BOX, now=START)
    first.close()
    second = open_main(tmp_path)
    assert [incident.incident_id for incident in incidents.recent(second, 10)] == ["alert-1"]
    second.close()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "REPLACE INTO audit SELECT * FROM audit"]
)
def test_the_audit_chain_can_only_grow(db: Database, statement: str) -> None:
    open_incident(db, an_alert(), box=BOX, now=START)
    with pytest.raises(StoreError, match="audit is final"), writing(db):
        db.conn.execute(statement)
    assert [entry.actor for entry in audit.entries(db)] == ["mamori"]


def test_a_chain_altered_past_the_triggers_does_not_hold(db: Database) -> None:
    for number in range(3):
        open_incident(db, an_alert(f"alert-{number}"), box=BOX, now=START)
    with writing(db):
        db.conn.execute("DROP TRIGGER audit_stays")
        db.conn.execute("UPDATE audit SET actor = 'nobody' WHERE sequence = 2")
    assert first_break(audit.entries(db)) == 2
