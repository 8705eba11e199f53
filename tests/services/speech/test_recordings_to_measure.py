"""A folder of recordings with transcripts, read: nothing of it is left out unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.errors import AudioError
from edge_agent.services.speech.evaluation import Recording
from edge_agent.services.speech.recordings import (
    LeftOut,
    Reason,
    left_out,
    read_recordings,
    read_telling,
    told_left_out,
)


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
        ("file\twords\n", "no column text (it has: file, words)"),
        ("text\tcondition\nはい\tphone\n", "no column file"),
        ("file\ttext\tnote\n", "unknown columns: note"),
        ("file,text\na.wav,はい\n", "commas between its columns"),
        ("a.wav,はい\n", "commas between its columns"),
        ("a.wav\n", "line 1 has no text"),
        ("file\ttext\na.wav\n", "line 2 has no text"),
        ("file\ttext\n\n\na.wav\tはい\n\nnone.wav\tはい\n", "line 6: none.wav is not there"),
        ("file\ttext\nnone.wav\tはい\n", "line 2: none.wav is not there"),
        ("", "holds no recording with a transcript. 1 file left out: a.wav (no transcript)."),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, table: str, reason: str) -> None:
    with pytest.raises(AudioError) as error:
        read_recordings(folder_with(tmp_path, table, "a.wav"))
    assert reason in error.value.what.en
    assert "transcripts.tsv" in error.value.remedy.ja


def folder_of(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).write_bytes(b"RIFF" if not name.endswith(".txt") else "はい".encode())
    return tmp_path


def test_what_is_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path, "a.wav", "a.txt", "b.wav", "c.txt", "d.mp3", "d.txt", "._a.wav", "._a.txt", "notes.pdf"
    )
    found = read_recordings(folder)
    assert [it.file.name for it in found] == ["a.wav"]
    left = left_out(folder, found)
    assert left == [
        LeftOut(file="b.wav", reason=Reason.NO_TRANSCRIPT),
        LeftOut(file="c.txt", reason=Reason.NO_RECORDING),
        LeftOut(file="d.mp3", reason=Reason.NOT_READ),
    ]
    told = told_left_out(left, most=2)
    assert told.en == "3 files left out: b.wav (no transcript), c.txt (no recording) and 1 more"
    assert told.ja == "3 ファイルを測っていません: b.wav（書き起こしなし）、c.txt（録音なし）、ほか 1"


def test_recordings_that_the_table_does_not_name_are_left_out(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "a.wav\tはい\n", "a.wav", "b.wav", "read-me.txt")
    assert left_out(folder, read_recordings(folder)) == [LeftOut(file="b.wav", reason=Reason.NO_TRANSCRIPT)]


def test_a_folder_of_mp3_is_told_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as error:
        read_recordings(folder_of(tmp_path, "a.mp3", "a.txt", "b.m4a", "b.txt"))
    assert "M4A, MP3 is not read; WAV, FLAC, Opus and Ogg are" in error.value.what.en
    assert "ffmpeg" in error.value.remedy.ja


@pytest.mark.parametrize("encoding", ["cp932", "utf-16"])
@pytest.mark.parametrize("name", ["b.txt", "transcripts.tsv"])
def test_a_text_that_is_not_utf_8_is_named(tmp_path: Path, name: str, encoding: str) -> None:
    folder = folder_of(tmp_path, "a.wav", "a.txt", "b.wav")
    (folder / name).write_bytes("b.wav\t責任者を出せ".encode(encoding))
    with pytest.raises(AudioError) as error:
        read_recordings(folder)
    assert f"{name} is not written in UTF-8" in error.value.what.en
    assert "UTF-8 で保存してください" in error.value.remedy.ja


def test_the_list_of_telling_words_has_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# 言葉\n殺す\n\n土下座\n", encoding="utf-8")
    assert read_telling(file) == ("殺す", "土下座")


@pytest.mark.parametrize(("raw", "reason"), [(None, "No such file"), ("殺す".encode("cp932"), "UTF-8")])
def test_a_list_of_telling_words_that_cannot_be_read_is_told_as_such(
    tmp_path: Path, raw: bytes | None, reason: str
) -> None:
    file = tmp_path / "words.txt"
    if raw is not None:
        file.write_bytes(raw)
    with pytest.raises(AudioError) as error:
        read_telling(file)
    assert "list of telling words" in error.value.what.en
    assert reason in error.value.what.en
    assert "--telling" in error.value.remedy.ja
