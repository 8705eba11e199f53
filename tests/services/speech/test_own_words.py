"""A floor's own words: kept beside the model, tried before they are used, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from edge_agent.errors import ModelError, Text, WordError
from edge_agent.services.speech import own_words
from edge_agent.services.speech.choice import active_name, choose, find_speech
from edge_agent.services.speech.graph_words import WORDS, read_labels
from edge_agent.services.speech.install import install, listing
from edge_agent.services.speech.readings import Word
from edge_agent.settings import Paths, Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.speech_models import a_box, hears_all

pytestmark = pytest.mark.real

BASE = "speech-ja-starter"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(paths=Paths(data=str(tmp_path / "data"), run=str(tmp_path / "run")))


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    db.close()


def add(settings: Settings, db: Database, surface: str, *readings: str) -> None:
    words = own_words.with_word(settings, BASE, surface, readings, "usual")
    own_words.keep(words, settings, db, BASE, by="sato", now=START, probe=hears_all)


def test_added_words_are_kept_and_used_by_new_calls(settings: Settings, db: Database) -> None:
    add(settings, db, "守ケア", "まもりけあ")
    add(settings, db, "マモリン")
    add(settings, db, "守ケア", "シュケア")
    assert own_words.words_of(settings, BASE) == (
        Word(surface="守ケア", readings=("マモリケア", "シュケア"), weight="usual"),
        Word(surface="マモリン", readings=("マモリン",), weight="usual"),
    )
    assert active_name(db, settings) == f"{BASE}+words"
    model = find_speech(settings, f"{BASE}+words")
    assert {"守ケア", "マモリン"} <= read_labels(model.folder / WORDS).keys()
    assert [entry.action for entry in audit.entries(db)] == ["speech.words", "speech.chosen"] * 3
    assert not [it for it in settings.installed_models.iterdir() if it.name.startswith(".")]


def test_a_word_can_be_taken_away_again(settings: Settings, db: Database) -> None:
    add(settings, db, "マモリン")
    left = own_words.without_word(settings, BASE, "マモリン")
    own_words.keep(left, settings, db, BASE, by="sato", now=START, probe=hears_all)
    assert own_words.words_of(settings, BASE) == ()
    with pytest.raises(WordError, match="was not added"):
        own_words.without_word(settings, BASE, "マモリン")


def test_words_that_break_the_model_change_nothing(settings: Settings, db: Database) -> None:
    add(settings, db, "マモリン")

    def broken(_model: Path, _clips: Sequence[Path]) -> Sequence[str]:
        raise ModelError(Text("壊れています", "broken"), Text("戻す", "go back"))

    words = own_words.with_word(settings, BASE, "守ケア", ("マモリケア",), "usual")
    before = find_speech(settings, f"{BASE}+words").version
    with pytest.raises(ModelError, match="broken"):
        own_words.keep(words, settings, db, BASE, by="sato", now=START, probe=broken)
    assert find_speech(settings, f"{BASE}+words").version == before
    assert [word.surface for word in own_words.words_of(settings, BASE)] == ["マモリン"]


def test_words_of_a_model_that_is_not_in_use_wait_to_be_chosen(settings: Settings, db: Database) -> None:
    other, _ = install(
        str(find_speech(settings, BASE).folder),
        settings,
        db,
        name="other",
        by="sato",
        now=START,
        decide=lambda _told: True,
        probe=hears_all,
        progress=lambda _done, _total: None,
    )
    choose(db, other, settings, by="sato", now=START)
    add(settings, db, "マモリン")
    assert active_name(db, settings) == "other"
    assert [it.name for it in listing(settings, db)] == [BASE, "other", f"{BASE}+words"]


def test_a_model_whose_base_has_changed_is_marked(settings: Settings, db: Database) -> None:
    add(settings, db, "マモリン")
    record = settings.installed_models / f"{BASE}+words" / "installed.toml"
    text = record.read_text(encoding="utf-8")
    assert [it.stale for it in listing(settings, db)] == [False, False]
    record.write_text(text.replace(find_speech(settings, BASE).version, f"{BASE} 0.0.1"), encoding="utf-8")
    assert [it.stale for it in listing(settings, db)] == [False, True]


def test_a_model_without_a_table_of_sounds_takes_no_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no table of sounds"):
        own_words.with_word(a_box(tmp_path), "shipped", "守ケア", ("マモリケア",), "usual")


def test_a_word_the_model_knows_is_told(settings: Settings) -> None:
    assert own_words.is_known(settings, BASE, "電話")
    assert not own_words.is_known(settings, BASE, "守ケア")
