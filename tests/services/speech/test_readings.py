"""Readings in kana: said as the model says them, or refused with what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.errors import ModelError, WordError
from edge_agent.services.speech.readings import Sounds, Word, checked_word, read_sounds, ways_of
from edge_agent.settings import share


@pytest.fixture(scope="module")
def sounds() -> Sounds:
    return read_sounds(share() / "models/speech/ja-starter")


@pytest.mark.parametrize(
    ("reading", "ways"),
    [
        ("マモリ", ["m a m o r i"]),
        ("キャッシュ", ["ky a q sh u"]),
        ("サーバー", ["s a: b a:"]),
        ("コウシン", ["k o u sh i N", "k o: sh i N"]),
        ("ケイヤク", ["k e i y a k u", "k e: y a k u"]),
        ("オカアサン", ["o k a a s a N", "o k a: s a N"]),
        ("ソーウン", ["s o: u N"]),
        ("ファイバー", ["f a i b a:"]),
    ],
)
def test_kana_are_said_in_the_sounds_of_the_model(sounds: Sounds, reading: str, ways: list[str]) -> None:
    assert [" ".join(way) for way in ways_of(reading, sounds)] == ways


def test_a_word_has_its_readings_in_katakana_each_once(sounds: Sounds) -> None:
    word = checked_word("守ケア", ("まもりけあ", "マモリケア", "ﾏﾓﾘｹｱｰ"), "usual", sounds)
    assert word == Word(surface="守ケア", readings=("マモリケア", "マモリケアー"), weight="usual")


def test_a_word_in_kana_is_its_own_reading(sounds: Sounds) -> None:
    assert checked_word("マモリン", (), "usual", sounds).readings == ("マモリン",)


@pytest.mark.parametrize(
    ("surface", "readings", "reason"),
    [
        ("守ケア", (), "'守', which is no kana"),
        ("守", ("mamori",), "'m', which is no kana"),
        ("守", ("ーマモリ",), "'ー', which is no kana that can be said there"),
        ("木", ("キ",), "so short"),
        ("守 ケア", ("マモリケア",), "cannot be a word"),
        ("", ("マモリケア",), "cannot be a word"),
        ("守\u200dケア", ("マモリケア",), "a sign that is not seen (U+200D)"),
        ("[unk]", ("マモリケア",), "reserved"),
        ("守", ("",), "must have 1 to"),
        ("守", ("マ" * 41,), "must have 1 to"),
        ("守" * 41, ("マモリ",), "cannot be a word"),
    ],
)
def test_what_is_no_word_is_refused_with_an_example(
    sounds: Sounds, surface: str, readings: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(WordError) as error:
        checked_word(surface, readings, "usual", sounds)
    assert reason in error.value.what.en
    assert "words add" in error.value.remedy.ja


def test_a_model_without_a_table_of_sounds_takes_no_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        read_sounds(tmp_path)
    assert "built in" in error.value.what.en
    assert "公式の Vosk モデル" in error.value.what.ja


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph/sounds.toml").write_text("format = 9")
    with pytest.raises(ModelError, match="cannot be read"):
        read_sounds(tmp_path)
