"""The agent at its start: a floor is never left unheard because of a model somebody chose."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.daemon import SystemClock, _first_speech_model
from edge_agent.errors import ModelError
from edge_agent.services.model_store import InstalledModel
from edge_agent.services.speech.choice import choose, find_speech
from edge_agent.services.speech.install import install
from edge_agent.settings import Models, Paths, Settings
from edge_agent.store import speech as table
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.speech_models import hears_all

pytestmark = pytest.mark.real

SHIPPED = "speech-ja-starter"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(paths=Paths(data=str(tmp_path / "data"), run=str(tmp_path / "run")))


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    db.close()


@pytest.fixture
def chosen(settings: Settings, db: Database) -> InstalledModel:
    model, _ = install(
        str(find_speech(settings, SHIPPED).folder),
        settings,
        db,
        name="floor-model",
        by="sato",
        now=START,
        decide=lambda _told: True,
        probe=hears_all,
        progress=lambda _done, _total: None,
    )
    choose(db, model, settings, by="sato", now=START)
    return model


def test_the_agent_starts_with_the_chosen_model(settings: Settings, chosen: InstalledModel) -> None:
    assert _first_speech_model(settings, SystemClock()).model_version == chosen.version


def test_a_chosen_model_that_is_gone_gives_way_to_the_shipped_one(
    settings: Settings, db: Database, chosen: InstalledModel
) -> None:
    shutil.rmtree(chosen.folder)
    assert _first_speech_model(settings, SystemClock()).model_version.startswith(SHIPPED)
    now = table.choice(db)
    assert (now.chosen, now.refused) == (SHIPPED, chosen.version)


def test_a_chosen_model_that_never_ran_is_tried_first(settings: Settings, db: Database, chosen: InstalledModel) -> None:
    weights, record = chosen.folder / "am/final.mdl", chosen.folder / "installed.toml"
    whole = hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.write_bytes(b"junk" * 1000)
    broken = hashlib.sha256(weights.read_bytes()).hexdigest()
    record.write_text(record.read_text(encoding="utf-8").replace(whole, broken), encoding="utf-8")
    assert _first_speech_model(settings, SystemClock()).model_version.startswith(SHIPPED)
    assert "読み込めません" in table.choice(db).reason_ja


def test_without_any_model_the_agent_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(paths=Paths(data=str(tmp_path / "data")), models=Models(speech="none"))
    with pytest.raises(ModelError) as error:
        _first_speech_model(settings, SystemClock())
    assert "mamori speech list" in error.value.remedy.ja
