"""Pauses for card numbers: who may begin and end one, when it ends by itself, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.audit import first_break
from edge_agent.domain.pause import PauseEnd, PauseSource
from edge_agent.services import pauses as services
from edge_agent.services.pauses import Wish
from edge_agent.settings_privacy import Privacy
from edge_agent.store import audit, pauses
from edge_agent.store.database import Database, open_main, writing
from tests.builders import START, after

PRIVACY = Privacy(pause_longest_s=300, pause_after_keys_s=10)
ASKED = Wish(seat="01", by="tanaka", source=PauseSource.PAGE, call_id="call-1")
KEYED = Wish(seat="01", by="mamori", source=PauseSource.KEYS, call_id="call-1")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_main(tmp_path)
    yield opened
    opened.close()


def entries(db: Database) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.action, entry.detail.get("reason", "")) for entry in audit.entries(db)]


def test_a_pause_is_kept_with_who_began_and_ended_it_and_nothing_else(db: Database) -> None:
    pause = services.begin(db, ASKED, privacy=PRIVACY, now=START)
    assert services.end(db, "01", by="tanaka", why=PauseEnd.ASKED, now=after(40))
    assert pauses.everything(db) == []
    assert entries(db) == [("tanaka", "pause.began", ""), ("tanaka", "pause.ended", "asked")]
    ended = list(audit.entries(db))[-1]
    assert dict(ended.detail) == {
        "pause": pause.pause_id,
        "call": "call-1",
        "source": "page",
        "by": "tanaka",
        "from": START.isoformat(),
        "to": after(40).isoformat(),
        "reason": "asked",
    }
    assert first_break(audit.entries(db)) is None


def test_asking_again_changes_nothing(db: Database) -> None:
    first = services.begin(db, ASKED, privacy=PRIVACY, now=START)
    assert services.begin(db, ASKED, privacy=PRIVACY, now=after(100)) == first
    assert len(entries(db)) == 1


def test_a_forgotten_pause_ends_at_its_longest_time(db: Database) -> None:
    services.begin(db, ASKED, privacy=PRIVACY, now=START)
    assert services.end_due(db, now=after(299)) == []
    [(_, why)] = services.end_due(db, now=after(300))
    assert why is PauseEnd.TOO_LONG
    assert entries(db)[-1] == ("mamori", "pause.ended", "too_long")


def test_a_pause_of_keys_ends_after_the_last_key(db: Database) -> None:
    services.begin(db, KEYED, privacy=PRIVACY, now=START)
    services.begin(db, KEYED, privacy=PRIVACY, now=after(6))
    assert services.end_due(db, now=after(15)) == []
    [(_, why)] = services.end_due(db, now=after(16))
    assert why is PauseEnd.KEYS_OVER
    assert entries(db) == [("mamori", "pause.began", ""), ("mamori", "pause.ended", "keys_over")], (
        "a key leaves no trace"
    )


def test_keys_do_not_hold_a_line_unheard_for_ever(db: Database) -> None:
    for second in range(0, 300, 5):
        services.begin(db, KEYED, privacy=PRIVACY, now=after(second))
    [(_, why)] = services.end_due(db, now=after(300))
    assert why is PauseEnd.TOO_LONG


def test_whoever_asks_during_a_pause_of_keys_makes_it_their_own(db: Database) -> None:
    services.begin(db, KEYED, privacy=PRIVACY, now=START)
    services.begin(db, ASKED, privacy=PRIVACY, now=after(5))
    assert services.end_due(db, now=after(60)) == []
    assert entries(db)[-1] == ("tanaka", "pause.taken_over", "")


def test_keys_do_not_shorten_the_pause_of_a_person(db: Database) -> None:
    services.begin(db, ASKED, privacy=PRIVACY, now=START)
    services.begin(db, KEYED, privacy=PRIVACY, now=after(5))
    assert services.end_due(db, now=after(60)) == []


def test_a_button_begins_and_ends(db: Database) -> None:
    wish = Wish(seat="01", by="button:desk-01", source=PauseSource.BUTTON)
    with writing(db):
        assert services.toggle(db, wish, privacy=PRIVACY, now=START) is not None
    with writing(db):
        assert services.toggle(db, wish, privacy=PRIVACY, now=after(20)) is None
    assert pauses.everything(db) == []
    assert not services.end(db, "01", by="tanaka", why=PauseEnd.ASKED, now=after(21))
