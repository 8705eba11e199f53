"""The speech model is changed while calls go on: new calls use the new one, and a bad one never replaces a good one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.errors import ModelError, StoreError, Text
from edge_agent.pipeline.speech_switch import SpeechSwitch
from edge_agent.services.model_store import InstalledModel, ModelKind
from edge_agent.services.speech import choice as choosing
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store import speech as table
from edge_agent.store.database import Database, open_main, writing
from tests.builders import START, after
from tests.fakes import Moments, ScriptedModel, StandingClock
from tests.speech_models import a_box


def a_model(name: str, version: str = "1") -> InstalledModel:
    return InstalledModel(name=name, kind=ModelKind.SPEECH, version=f"{name} {version}", folder=Path(name))


class Shelf:
    """Models by name; those in `broken` do not load."""

    def __init__(self) -> None:
        self.versions = {"shipped": "1", "small-ja": "1", "large-ja": "1"}
        self.broken: set[str] = set()
        self.loaded: list[str] = []

    def find(self, name: str) -> InstalledModel:
        if name not in self.versions:
            raise choosing.no_such(name)
        return a_model(name, self.versions[name])

    def load(self, model: InstalledModel) -> ScriptedModel:
        if model.name in self.broken:
            raise ModelError(Text("自己診断に通りません", "fails its self-test"), Text("入れ直す", "again"))
        self.loaded.append(model.version)
        loaded = ScriptedModel(model.name)
        loaded.model_version = model.version
        return loaded


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return a_box(tmp_path)


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    db.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def switch(settings: Settings, shelf: Shelf) -> SpeechSwitch:
    first = ScriptedModel("shipped")
    first.model_version = "shipped 1"
    return SpeechSwitch(
        first,
        default="shipped",
        find=shelf.find,
        load=shelf.load,
        open_database=lambda: open_main(settings.data),
        clock=StandingClock(START),
    )


def choose(db: Database, settings: Settings, model: InstalledModel, *, at_s: float = 0.0) -> None:
    choosing.choose(db, model, settings, by="sato", now=after(at_s))


def test_the_first_model_is_noted_as_running(switch: SpeechSwitch, db: Database, shelf: Shelf) -> None:
    switch.look(db)
    assert table.choice(db).running == "shipped 1"
    assert shelf.loaded == []


def test_a_chosen_model_is_loaded_once_and_used(
    switch: SpeechSwitch, db: Database, shelf: Shelf, settings: Settings
) -> None:
    choose(db, settings, a_model("small-ja"))
    switch.look(db)
    switch.look(db)
    assert (switch.model_version, shelf.loaded) == ("small-ja 1", ["small-ja 1"])
    assert table.choice(db).running == "small-ja 1"
    assert [entry.action for entry in audit.entries(db)] == ["speech.chosen", "speech.switched"]


def test_a_model_that_fails_leaves_the_one_in_use_and_is_told(
    switch: SpeechSwitch, db: Database, shelf: Shelf, settings: Settings
) -> None:
    choose(db, settings, a_model("small-ja"))
    switch.look(db)
    shelf.broken.add("large-ja")
    choose(db, settings, a_model("large-ja"), at_s=60)
    switch.look(db)
    assert (switch.model_version, switch.refused) == ("small-ja 1", "large-ja 1")
    now = table.choice(db)
    assert (now.chosen, now.running, now.refused, now.reason_ja) == (
        "small-ja",
        "small-ja 1",
        "large-ja 1",
        "自己診断に通りません",
    )
    # Going back is a change of the choice too, and must not load anything again.
    switch.look(db)
    assert (shelf.loaded, switch.refused) == (["small-ja 1"], "large-ja 1")


def test_a_person_who_chooses_again_clears_the_refusal(
    switch: SpeechSwitch, db: Database, shelf: Shelf, settings: Settings
) -> None:
    shelf.broken.add("large-ja")
    choose(db, settings, a_model("large-ja"))
    switch.look(db)
    shelf.broken.clear()
    choose(db, settings, a_model("large-ja"), at_s=60)
    switch.look(db)
    assert (switch.model_version, switch.refused, table.choice(db).refused) == ("large-ja 1", "", "")


def test_a_model_that_is_gone_is_refused_like_one_that_fails(
    switch: SpeechSwitch, db: Database, settings: Settings
) -> None:
    choose(db, settings, a_model("removed"))
    switch.look(db)
    assert (switch.model_version, switch.refused, table.choice(db).chosen) == ("shipped 1", "removed 1", "shipped")


def test_new_words_under_the_same_name_are_another_model(
    switch: SpeechSwitch, db: Database, shelf: Shelf, settings: Settings
) -> None:
    choose(db, settings, a_model("small-ja", "1"))
    switch.look(db)
    shelf.versions["small-ja"] = "2"
    choose(db, settings, a_model("small-ja", "2"), at_s=60)
    switch.look(db)
    assert switch.model_version == "small-ja 2"


def test_the_thread_follows_the_choice_until_it_is_stopped(
    switch: SpeechSwitch, db: Database, settings: Settings
) -> None:
    moments = Moments(lambda: choose(db, settings, a_model("small-ja")), lambda: None)
    switch.run(moments)  # type: ignore[arg-type]
    assert switch.model_version == "small-ja 1"


def test_a_choice_that_cannot_be_noted_is_tried_again(
    switch: SpeechSwitch, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(db, settings, a_model("small-ja"))
    full = StoreError(Text("空きがありません", "the disk is full"), Text("空ける", "make room"))
    answers = iter([full, None])

    def note(*_args: object, **_facts: object) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(choosing, "note_running", note)
    switch.run(Moments(lambda: None, lambda: None))  # type: ignore[arg-type]
    assert switch.model_version == "small-ja 1"
    assert next(answers, "asked twice") == "asked twice"


def test_a_writer_does_not_hold_up_the_lines(switch: SpeechSwitch, db: Database) -> None:
    done = threading.Event()

    def ask() -> None:
        switch.recognizer()
        done.set()

    with writing(db):
        thread = threading.Thread(target=ask)
        thread.start()
        assert done.wait(5)
    thread.join(5)
