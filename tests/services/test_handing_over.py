"""An incident is asked to be taken over, stays where it is until it is, and never belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.incident import HandOver, Incident, IncidentState
from edge_agent.domain.roles import Role
from edge_agent.errors import TransitionError
from edge_agent.services import incidents as moves
from edge_agent.services.handing_over import hand_over, who_can_take
from edge_agent.store import audit, incidents, outbox, people
from edge_agent.store.database import Database, open_main, writing
from edge_agent.store.people import Person
from tests.builders import BOX, START, after, an_alert


def person(name: str, role: Role = Role.SUPERVISOR, **changes: object) -> Person:
    someone = Person(name=name, display_name=name, role=role, password_hash="-", must_change=False)
    return replace(someone, **changes)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    with writing(database):
        for someone in (
            person("sato"),
            person("tanaka", groups=("east",)),
            person("suzuki", groups=("west",)),
            person("gone", retired=True),
            person("yamada", Role.OPERATOR),
        ):
            people.save(database, someone)
    moves.open_incident(database, an_alert(), box=BOX, now=START)
    yield database
    database.close()


def ask(db: Database, to: str, by: str = "sato", seconds: int = 5) -> Incident:
    return hand_over(db, "alert-1", to=to, group="east", by=by, now=after(seconds))


def take(db: Database, by: str, seconds: int = 9) -> Incident:
    return moves.take(db, "alert-1", box=BOX, by=by, now=after(seconds))


def test_whoever_is_asked_takes_it_and_until_then_it_stays_with_whoever_has_it(db: Database) -> None:
    take(db, "sato", 1)
    sent = outbox.count_unsent(db)
    asked = ask(db, "tanaka")
    assert asked.handing_over == HandOver(to="tanaka", by="sato", at=after(5))
    assert asked.taken is not None
    assert (asked.state, asked.taken.by) == (IncidentState.TAKEN, "sato")
    assert outbox.count_unsent(db) == sent
    moved = take(db, "tanaka")
    assert moved == incidents.find(db, "alert-1")
    assert moved.taken is not None
    assert moved.acknowledged is not None
    assert (moved.taken.by, moved.acknowledged.by, moved.handing_over) == ("tanaka", "sato", None)
    entries = [(entry.actor, entry.action, entry.detail.get("to")) for entry in audit.of(db, "alert-1")]
    assert entries[1:] == [
        ("sato", "incident.taken", None),
        ("sato", "incident.handed_over", "tanaka"),
        ("tanaka", "incident.taken", None),
    ]


def test_nobody_else_takes_what_is_handed_over_and_whoever_has_it_may_keep_it(db: Database) -> None:
    take(db, "sato", 1)
    ask(db, "tanaka")
    with pytest.raises(TransitionError):
        take(db, "suzuki")
    kept = take(db, "sato")
    assert kept.taken is not None
    assert (kept.taken.by, kept.handing_over) == ("sato", None)
    with pytest.raises(TransitionError):
        take(db, "tanaka")


def test_what_is_only_acknowledged_can_be_handed_over_and_another_may_still_be_faster(db: Database) -> None:
    moves.acknowledge(db, "alert-1", box=BOX, by="sato", now=after(1))
    ask(db, "tanaka")
    assert take(db, "suzuki").handing_over is None


def test_a_second_colleague_is_asked_in_place_of_the_first(db: Database) -> None:
    with writing(db):
        people.save(db, person("mori"))
    take(db, "sato", 1)
    ask(db, "tanaka")
    ask(db, "mori")
    with pytest.raises(TransitionError):
        take(db, "tanaka")
    assert take(db, "mori").state is IncidentState.TAKEN


@pytest.mark.parametrize("to", ["suzuki", "gone", "yamada", "nobody", "", "sato"])
def test_it_goes_only_to_whoever_can_deal_with_the_seat_and_has_not_got_it(db: Database, to: str) -> None:
    take(db, "sato", 1)
    before = incidents.find(db, "alert-1")
    with pytest.raises(TransitionError):
        ask(db, to)
    assert incidents.find(db, "alert-1") == before
    assert [someone.name for someone in who_can_take(db, group="east")] == ["sato", "tanaka"]


def test_what_nobody_has_answered_or_what_is_over_cannot_be_handed_over(db: Database) -> None:
    with pytest.raises(TransitionError, match="open"):
        ask(db, "tanaka")
    take(db, "sato", 1)
    ask(db, "tanaka")
    closed = moves.close(db, "alert-1", box=BOX, by="sato", now=after(8))
    assert closed.handing_over is None
    with pytest.raises(TransitionError, match="closed"):
        ask(db, "tanaka")
    with pytest.raises(TransitionError, match="alert-9"):
        hand_over(db, "alert-9", to="tanaka", group="east", by="sato", now=after(9))


def test_a_call_for_help_is_handed_over_too(db: Database) -> None:
    help_wanted = an_alert("help-1", kind=AlertKind.HELP, quotes=(), types=())
    moves.open_incident(db, help_wanted, box=BOX, now=START)
    moves.take(db, "help-1", box=BOX, by="sato", now=after(1))
    asked = hand_over(db, "help-1", to="tanaka", group="east", by="sato", now=after(2))
    assert asked.may_take("tanaka")
