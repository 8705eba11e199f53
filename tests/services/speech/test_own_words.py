"""A floor's own words: kept beside the model, tried before they are used, and taken away again."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.errors import ModelError, Text, WordError
from edge_agent.services.speech import own_words
from edge_agent.services.speech.choice import active_name, choose, find_speech
from edge_agent.services.speech.graph_words import WORDS, read_labels
from edge_agent.services.speech.install import install, listing
from edge_agent.services.speech.own_words import Wanted
from edge_agent.services.speech.readings import Word
from edge_agent.settings import Paths, Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.fakes import a_full_disk
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
    words = own_words.with_words(settings, BASE, [Wanted(surface=surface, readings=readings)])
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


def test_a_word_keeps_what_is_not_told_anew(settings: Settings, db: Database) -> None:
    often = own_words.with_words(settings, BASE, [Wanted(surface="守ケア", readings=("マモリケア",), weight="often")])
    own_words.keep(often, settings, db, BASE, by="sato", now=START, probe=hears_all)
    (more_ways,) = own_words.with_words(settings, BASE, [Wanted(surface="守ケア", readings=("モリケア",))])
    assert more_ways == Word(surface="守ケア", readings=("マモリケア", "モリケア"), weight="often")
    (rarer,) = own_words.with_words(settings, BASE, [Wanted(surface="守ケア", weight="rare")])
    assert rarer == Word(surface="守ケア", readings=("マモリケア",), weight="rare")


def test_all_wrong_words_of_a_list_are_named_at_once(settings: Settings) -> None:
    where = [Text(f"{number} 行目: ", f"line {number}: ") for number in range(1, 9)]
    more = [Wanted(surface="守", readings=("x",), where=place) for place in where]
    with pytest.raises(WordError) as error:
        own_words.with_words(settings, BASE, [Wanted(surface="マモリン"), *more])
    assert "line 1: The reading" in error.value.what.en
    assert error.value.what.en.endswith("And 3 more.")
    assert "ほか 3 件" in error.value.what.ja


def test_after_the_last_word_new_calls_use_the_base_again(settings: Settings, db: Database) -> None:
    add(settings, db, "マモリン")
    left = own_words.without_word(settings, BASE, "マモリン")
    made = own_words.keep(left, settings, db, BASE, by="sato", now=START, probe=hears_all)
    assert (made.name, active_name(db, settings)) == (BASE, BASE)
    assert not own_words.has_model(settings, BASE)
    assert [it.name for it in listing(settings, db)] == [BASE]
    assert own_words.words_of(settings, BASE) == ()
    with pytest.raises(WordError, match="was not added"):
        own_words.without_word(settings, BASE, "マモリン")


def test_a_disk_without_room_is_told_and_changes_nothing(settings: Settings, db: Database) -> None:
    words = own_words.with_words(settings, BASE, [Wanted(surface="マモリン")])
    with pytest.raises(ModelError, match="too little room"):
        own_words.keep(words, settings, db, BASE, by="sato", now=START, probe=a_full_disk)
    assert list(settings.installed_models.iterdir()) == []
    assert active_name(db, settings) == BASE


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    settings = a_box(tmp_path)
    word = Word(surface="マモリン", readings=("マモリン",), weight="usual")
    with closing(open_main(settings.data)) as db:
        settings.installed_models.write_text("in the way")
        with pytest.raises(ModelError) as error:
            own_words.keep([word], settings, db, "shipped", by="sato", now=START, probe=hears_all)
    assert "cannot be written" in error.value.what.en
    assert "読み取り専用" in error.value.remedy.ja


def test_what_hinders_the_copy_of_the_model_is_told(tmp_path: Path) -> None:
    settings = a_box(tmp_path)
    word = Word(surface="マモリン", readings=("マモリン",), weight="usual")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(open_main(settings.data)) as db:
        # Nothing longer than this can be written: the model's smallest file is.
        resource.setrlimit(resource.RLIMIT_FSIZE, (3, before[1]))
        try:
            with pytest.raises(ModelError, match=r"cannot be written .*too large"):
                own_words.keep([word], settings, db, "shipped", by="sato", now=START, probe=hears_all)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["nosuch", "../shipped", ""])
def test_a_model_that_is_not_there_has_no_words(tmp_path: Path, name: str) -> None:
    settings = a_box(tmp_path)
    assert own_words.base_named(settings, "shipped+words") == "shipped"
    with pytest.raises(ModelError, match="no speech model"):
        own_words.base_named(settings, name)


def test_words_that_break_the_model_change_nothing(settings: Settings, db: Database) -> None:
    add(settings, db, "マモリン")

    def broken(_model: Path, _clips: Sequence[Path]) -> Sequence[str]:
        raise ModelError(Text("壊れています", "broken"), Text("戻す", "go back"))

    words = own_words.with_words(settings, BASE, [Wanted(surface="守ケア", readings=("マモリケア",))])
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
        own_words.with_words(a_box(tmp_path), "shipped", [Wanted(surface="守ケア", readings=("マモリケア",))])


def test_a_word_the_model_knows_is_told(settings: Settings) -> None:
    assert own_words.known_from_start(settings, BASE, ["電話", "守ケア"]) == ("電話",)
