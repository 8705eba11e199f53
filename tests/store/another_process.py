"""Programs the store's tests start beside themselves, to kill them or to write at the same time."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

from edge_agent.errors import StoreError
from edge_agent.services.incidents import acknowledge, open_incident
from edge_agent.store import audit, incidents, outbox
from edge_agent.store.database import open_main, writing
from tests.builders import BOX, START, an_alert, an_incident


def say(line: str) -> None:
    """Tell the test, at once."""
    print(line, flush=True)  # noqa: T201 - the test reads it


def write(data: Path, prefix: str, count: str) -> None:
    """Open so many incidents, one transaction each, telling the test of each that is committed."""
    db = open_main(data)
    for number in range(int(count)):
        open_incident(db, an_alert(f"{prefix}-{number:05}"), box=BOX, now=START)
        say(f"{prefix}-{number:05}")
    db.close()


def stop_half_way(data: Path) -> None:
    """Commit one incident, acknowledge it, and wait in the middle of the next transaction."""
    db = open_main(data)
    open_incident(db, an_alert("whole"), box=BOX, now=START)
    acknowledge(db, "whole", box=BOX, by="sato", now=START)
    with writing(db):
        incidents.save(db, an_incident(alert=an_alert("half")))
        outbox.put(db, topic="t", payload="{}", now=START)
        audit.append(db, at=START, actor="mamori", action="incident.opened", subject="half")
        say("in the middle")
        sys.stdin.read()


def fill_up(data: Path) -> None:
    """Write until the system lets the file grow no further; say what the store says of it."""
    db = open_main(data)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    written = 0
    try:
        while True:
            open_incident(db, an_alert(f"n-{written:05}"), box=BOX, now=START)
            written += 1
    except StoreError as error:
        say(str(written))
        say(f"{error.what.ja}{error.remedy.ja}")
    db.close()


def only_open(data: Path) -> None:
    """Open the database and say what comes of it."""
    try:
        open_main(data).close()
    except StoreError as error:
        say(f"{error.what.en} {error.remedy.en}")
    else:
        say("opened")


PROGRAMS: dict[str, Callable[..., None]] = {
    "write": write,
    "stop_half_way": stop_half_way,
    "fill_up": fill_up,
    "only_open": only_open,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
