"""Which model new calls use: chosen by a person, followed or gone back from by the box, all on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.audit import first_break
from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import InstalledModel, ModelKind
from edge_agent.services.speech import choice as choosing
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store import speech as table
from edge_agent.store.database import Database, open_main
from tests.builders import START, after
from tests.speech_models import a_box

WRONG = ModelError(Text("読み込めません", "does not load"), Text("入れ直す", "install again"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return a_box(tmp_path)


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    assert first_break(audit.entries(db)) is None
    db.close()


def a_model(name: str, version: str = "1") -> InstalledModel:
    return InstalledModel(name=name, kind=ModelKind.SPEECH, version=f"{name} {version}", folder=Path(name))


def test_without_a_choice_the_settings_count(settings: Settings, db: Database) -> None:
    assert choosing.active_name(db, settings) == "shipped"
    assert choosing.active_model(settings, db).version == "shipped 1"


def test_a_choice_is_on_record_with_who_made_it(settings: Settings, db: Database) -> None:
    choosing.choose(db, a_model("small-ja"), settings, by="sato", now=START)
    assert choosing.active_name(db, settings) == "small-ja"
    (entry,) = audit.entries(db)
    assert (entry.actor, entry.action, entry.subject) == ("sato", "speech.chosen", "small-ja")
    assert entry.detail == {"version": "small-ja 1", "before": "shipped"}


def test_a_model_that_does_not_work_gives_way_to_the_one_before(settings: Settings, db: Database) -> None:
    choosing.choose(db, a_model("small-ja"), settings, by="sato", now=START)
    choosing.choose(db, a_model("large-ja"), settings, by="sato", now=after(60))
    assert choosing.refuse(db, table.choice(db), WRONG, default="shipped", now=after(70))
    now = table.choice(db)
    assert (now.chosen, now.version, now.chosen_by) == ("small-ja", "small-ja 1", "mamori")
    assert (now.refused, now.reason_ja, now.reason_en) == ("large-ja 1", "読み込めません", "does not load")
    entry = list(audit.entries(db))[-1]
    assert (entry.action, entry.detail["back_to"]) == ("speech.refused", "small-ja")


def test_what_was_replaced_under_its_name_is_not_gone_back_to(settings: Settings, db: Database) -> None:
    choosing.choose(db, a_model("ja+words", "1"), settings, by="sato", now=START)
    choosing.choose(db, a_model("ja+words", "2"), settings, by="sato", now=after(60))
    choosing.refuse(db, table.choice(db), WRONG, default="shipped", now=after(70))
    assert choosing.active_name(db, settings) == "shipped"


def test_a_choice_made_meanwhile_is_not_undone(settings: Settings, db: Database) -> None:
    choosing.choose(db, a_model("small-ja"), settings, by="sato", now=START)
    seen = table.choice(db)
    choosing.choose(db, a_model("large-ja"), settings, by="suzuki", now=after(1))
    assert not choosing.refuse(db, seen, WRONG, default="shipped", now=after(2))
    assert choosing.active_name(db, settings) == "large-ja"


def test_choosing_a_refused_model_again_keeps_the_way_back(settings: Settings, db: Database) -> None:
    choosing.choose(db, a_model("small-ja"), settings, by="sato", now=START)
    choosing.choose(db, a_model("large-ja"), settings, by="sato", now=after(1))
    choosing.choose(db, a_model("large-ja"), settings, by="sato", now=after(2))
    choosing.refuse(db, table.choice(db), WRONG, default="shipped", now=after(3))
    assert choosing.active_name(db, settings) == "small-ja"


def test_which_model_runs_is_noted_once(settings: Settings, db: Database) -> None:
    choosing.note_running(db, "shipped 1", now=START)
    choosing.note_running(db, "shipped 1", now=after(1))
    assert [(entry.action, entry.subject) for entry in audit.entries(db)] == [("speech.switched", "shipped 1")]
    assert table.choice(db).running_at == START.isoformat()
    assert choosing.active_name(db, settings) == "shipped"
