"""A folder of recordings with transcripts, measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.errors import AudioError
from edge_agent.services.speech.evaluation import (
    Heard,
    Recording,
    compare,
    evaluate,
    figures,
    read_recordings,
    read_telling,
)

TELLING = ("殺す", "土下座")


def a_heard(text: str = "", *, words: int = 0, audio_s: float = 10.0, cpu_s: float = 0.2) -> Heard:
    return Heard(text=text, words=words, audio_s=audio_s, cpu_s=cpu_s)


def folder_with(tmp_path: Path, table: str, *names: str) -> Path:
    for name in names:
        (tmp_path / name).write_bytes(b"RIFF")
    (tmp_path / "transcripts.tsv").write_text(table, encoding="utf-8")
    return tmp_path


def test_the_table_names_recordings_with_their_text_condition_and_telling_words(tmp_path: Path) -> None:
    table = "file\ttext\tcondition\ttelling\na.wav\t本当に殺すぞ\tphone\t殺す\nb.flac\t\tmusic\t\n"
    folder = folder_with(tmp_path, table, "a.wav", "b.flac")
    assert read_recordings(folder) == [
        Recording(file=tmp_path / "a.wav", text="本当に殺すぞ", condition="phone", telling=("殺す",)),
        Recording(file=tmp_path / "b.flac", text="", condition="music", telling=None),
    ]


def test_a_table_without_names_of_columns_is_read_in_their_order(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "a.wav\tはい\nb.wav\tいいえ\tphone\n", "a.wav", "b.wav")
    assert [(r.text, r.condition) for r in read_recordings(folder)] == [("はい", "all"), ("いいえ", "phone")]


def test_a_text_beside_a_recording_is_its_transcript(tmp_path: Path) -> None:
    for name in ("a.wav", "b.opus", "c.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    (tmp_path / "a.txt").write_text("もしもし\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("", encoding="utf-8")
    assert [(r.file.name, r.text) for r in read_recordings(tmp_path)] == [("a.wav", "もしもし"), ("b.opus", "")]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("file\twords\n", "unknown columns: words"),
        ("file\ttext\nnone.wav\tはい\n", "line 2: none.wav is not there"),
        ("", "holds no recording"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, table: str, reason: str) -> None:
    with pytest.raises(AudioError) as error:
        read_recordings(folder_with(tmp_path, table))
    assert reason in error.value.what.en
    assert "transcripts.tsv" in error.value.remedy.ja


def test_errors_and_telling_words_are_counted_in_one_spelling() -> None:
    result = compare(
        Recording(file=Path("a"), text="殺すぞ、30分以内に来い"), a_heard("殺すぞ三十分以内に来た"), TELLING
    )
    assert (result.errors, result.characters) == (1, 11)
    assert (result.telling, result.missed) == (("殺す",), ())


def test_a_telling_word_that_was_misheard_is_missed() -> None:
    result = compare(Recording(file=Path("a"), text="殺すぞ"), a_heard("ころぞ"), TELLING)
    assert result.missed == ("殺す",)


def test_figures_come_by_condition_and_for_all() -> None:
    recordings = [
        Recording(file=Path("a"), text="殺すぞ", condition="wide"),
        Recording(file=Path("b"), text="土下座しろ", condition="phone"),
        Recording(file=Path("c"), text="", condition="music"),
    ]
    heard = {
        Path("a"): a_heard("殺すぞ", words=2),
        Path("b"): a_heard("土下しろ", words=2),
        Path("c"): a_heard("え", words=1, audio_s=30.0, cpu_s=0.6),
    }
    wide, phone, music, every = figures(list(evaluate(recordings, TELLING, heard.__getitem__)))
    assert wide.cer is not None
    assert (wide.cer.value, wide.recall.value if wide.recall else None, wide.false_words) == (0.0, 1.0, None)
    assert phone.cer is not None
    assert (phone.cer.value, phone.missed) == (pytest.approx(0.2), ("土下座",))
    assert music.cer is None
    assert music.false_words is not None
    assert music.false_words.value == pytest.approx(2.0)
    assert (every.condition, every.recordings, every.telling) == ("all", 3, 2)
    assert every.real_time_factor == pytest.approx(0.02)


def test_the_list_of_telling_words_has_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# 言葉\n殺す\n\n土下座\n", encoding="utf-8")
    assert read_telling(file) == TELLING
    with pytest.raises(AudioError):
        read_telling(tmp_path / "none.txt")
