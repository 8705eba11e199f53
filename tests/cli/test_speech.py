"""`mamori speech` as whoever looks after the box uses it, with the shipped model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from edge_agent.cli import box, main
from edge_agent.settings import share

pytestmark = pytest.mark.real

MODEL = share() / "models/speech/ja-starter"
CLIPS = share() / "models/speech/self-test"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "settings.toml").write_text(f'[paths]\ndata = "{folder}"\nrun = "{tmp_path / "run"}"\n')
    return folder


def speech(data: Path, *arguments: str | Path, languages: str = "en") -> Result:
    unknown = dict.fromkeys(("LC_ALL", "LC_MESSAGES", "LANG"), "C")
    return CliRunner(env=unknown | {"MAMORI_LANG": languages}).invoke(
        main, ["speech", *map(str, arguments), "--data", str(data)], catch_exceptions=False
    )


def worked(data: Path, *arguments: str | Path, languages: str = "en") -> str:
    result = speech(data, *arguments, languages=languages)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_model_is_installed_chosen_shown_and_removed(tmp_path: Path, data: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "floor-model"), "zip", MODEL.parent, MODEL.name)
    refused = speech(data, "install", archive)
    assert refused.exit_code == 1
    assert "nobody vouched" in refused.output
    assert "Installed 'floor-model'" in worked(data, "install", archive, "--name", "floor-model", "--accept-unknown")
    assert "used from the next start" in worked(data, "use", "floor-model")
    assert "* floor-model " in worked(data, "list")
    assert "All files are as recorded" in worked(data, "show", "floor-model")
    in_use = speech(data, "remove", "floor-model")
    assert (in_use.exit_code, "is in use" in in_use.output) == (1, True)
    worked(data, "use", "speech-ja-starter")
    worked(data, "remove", "floor-model")
    assert "floor-model" not in worked(data, "list")


def test_words_are_added_listed_and_taken_away(data: Path) -> None:
    assert "Added '守ケア' (1 word in all)" in worked(data, "words", "add", "守ケア", "まもりけあ", "--weight", "often")
    assert worked(data, "words", "list") == "守ケア\tマモリケア\toften\n"
    assert "* speech-ja-starter+words " in worked(data, "list")
    wrong = speech(data, "words", "add", "守ケア", "守")
    assert (wrong.exit_code, "no kana" in wrong.output) == (1, True)
    worked(data, "words", "rebuild")
    assert "added words: 1" in worked(data, "show", "speech-ja-starter+words")
    shown = json.loads(worked(data, "show", "speech-ja-starter+words", "--json"))
    assert (shown["words"], shown["record"]["base"]) == (1, "speech-ja-starter")
    assert "No added words are left" in worked(data, "words", "remove", "守ケア")
    assert "* speech-ja-starter " in worked(data, "list")
    none = speech(data, "words", "list")
    assert (none.stdout, "No words were added" in none.stderr) == ("", True)
    assert json.loads(worked(data, "words", "list", "--json")) == []


def test_many_words_come_from_one_list_and_their_only_copy_is_not_removed_unasked(tmp_path: Path, data: Path) -> None:
    file = tmp_path / "words.tsv"
    file.write_text("守ケア\tマモリケア モリケア\toften\nマモリン\n", encoding="utf-8")
    assert "Added 2 words (2 words in all)" in worked(data, "words", "add", "--from", file)
    copy = worked(data, "words", "list")
    assert copy == "守ケア\tマモリケア モリケア\toften\nマモリン\tマモリン\tusual\n"
    worked(data, "use", "speech-ja-starter")
    refused = speech(data, "remove", "speech-ja-starter+words")
    assert (refused.exit_code, "give --yes" in refused.output) == (1, True)
    assert "words list --model speech-ja-starter > words.tsv" in refused.output
    assert worked(data, "words", "list") == copy
    worked(data, "remove", "speech-ja-starter+words", "--yes")
    again = CliRunner(env={"MAMORI_LANG": "en"}).invoke(
        main, ["speech", "words", "add", "--from", "-", "--data", str(data)], input=copy, catch_exceptions=False
    )
    assert again.exit_code == 0, again.output
    assert worked(data, "words", "list") == copy


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("list", "--model", "nosuch"), 1, "no speech model 'nosuch'"),
        (("remove", "守ケア", "--model", "nosuch"), 1, "no speech model 'nosuch'"),
        (("rebuild",), 1, "nothing to put in"),
        (("add",), 2, "either WORD or --from FILE"),
        (("add", "守ケア", "--from", "-"), 2, "either WORD or --from FILE"),
        (("add", "--from", "nosuch.tsv"), 1, "nosuch.tsv cannot be read"),
    ],
)
def test_what_cannot_be_done_with_words_is_told(data: Path, arguments: tuple[str, ...], code: int, reason: str) -> None:
    result = speech(data, "words", *arguments)
    assert (result.exit_code, reason in result.output) == (code, True), result.output
    assert not (data / "models").exists()


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    shutil.copytree(CLIPS, folder)
    soundfile.write(folder / "quiet.wav", np.zeros(16_000 * 3, np.int16), 16_000)
    (folder / "transcripts.tsv").write_text(
        "file\ttext\tcondition\n"
        "moving.flac\t引っ越しをするので住所を変えたいです。\tphone\n"
        "responsible.flac\tこれ以上のお話は責任者の山本が承ります\tphone\n"
        "quiet.wav\t\tsilence\n",
        encoding="utf-8",
    )
    return folder


def test_a_model_is_measured_on_a_folder_of_recordings(data: Path, recordings: Path) -> None:
    report = json.loads(worked(data, "evaluate", recordings, "--json"))
    phone, silence, every = report["conditions"]
    assert report["model"].startswith("speech-ja-starter ")
    assert phone["cer"]["low"] <= phone["cer"]["value"] <= phone["cer"]["high"]
    assert phone["cer"]["value"] < 0.4
    assert phone["telling"] == 2  # 住所 and 責任者
    assert (silence["cer"], silence["false_words"]["value"]) == (None, 0)
    assert (every["condition"], every["recordings"]) == ("all", 3)
    assert 0 < every["real_time_factor"] < 1
    left = {it["file"]: it["reason"] for it in report["left_out"]}
    assert set(left.values()) == {"no transcript"}
    assert "moving.flac" not in left
    assert report["memory_mb"].keys() == {"model", "recognizer"}


def test_the_figures_are_printed_for_people(data: Path, recordings: Path) -> None:
    (recordings / "more.mp3").write_bytes(b"ID3")
    printed = worked(data, "evaluate", recordings, "--model", "speech-ja-starter")
    assert "CER" in printed
    assert "more.mp3 (format not read)" in printed
    assert "false words/min 0.0" in printed
    assert "MB for each recognizer" in printed


def test_recordings_without_transcripts_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = speech(data, "evaluate", tmp_path / "empty")
    assert (result.exit_code, "holds no recording" in result.output) == (1, True)


def test_a_machine_that_is_no_box_can_measure_too(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nothing"
    monkeypatch.setattr(box, "FOLDER", nowhere)
    monkeypatch.setattr(box, "SETTINGS", nowhere / "mamori.toml")
    assert "文字誤り率/CER" in worked(nowhere, "evaluate", recordings, languages="")


def test_a_mistyped_folder_of_records_is_an_error(recordings: Path, tmp_path: Path) -> None:
    result = speech(tmp_path / "nothing", "evaluate", recordings)
    assert (result.exit_code, f"--data {tmp_path / 'nothing'}" in result.output) == (1, True)
