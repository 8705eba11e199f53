"""The speech model: refused with a reason when it is not whole; its words without spaces and in time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.vosk_model import VoskModel, joined
from edge_agent.errors import ModelError
from edge_agent.ports import RATE, Recognised
from edge_agent.services.speech.structure import NEEDED
from edge_agent.settings import share

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

MODEL = share() / "models/speech/ja-starter"
CALLS = share() / "firmware_config/demo/calls"
PART_S = 24


@pytest.fixture(scope="module")
def model() -> VoskModel:
    return VoskModel(MODEL, "speech-ja-starter test")


@pytest.fixture(scope="module")
def call() -> np.ndarray:
    """The first part of a call: several utterances, and short enough to be heard often."""
    whole = np.concatenate([block.customer for block in AudioFile(CALLS / "threat.flac").blocks()])
    return whole[: PART_S * RATE]


def recognise(recognizer: object, samples: np.ndarray) -> list[Recognised]:
    found = []
    for at in range(0, len(samples), RATE // 10):
        said = recognizer.accept(samples[at : at + RATE // 10])  # type: ignore[attr-defined]
        if said is not None:
            found.append(said)
    last = recognizer.flush()  # type: ignore[attr-defined]
    return [*found, last] if last is not None else found


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["殺す", "ぞ"], "殺すぞ"),
        (["[unk]", "はい", "<unk>"], "はい"),
        (["SNS", "に", "ABC", "DEF", "と", "書く"], "SNSにABC DEFと書く"),
        (["ＳＮＳ", "に"], "ＳＮＳに"),
        (["ABC", "", "に"], "ABCに"),
        ([], ""),
    ],
)
def test_japanese_words_are_joined_without_spaces(tokens: list[str], text: str) -> None:
    assert joined(tokens) == text


def test_a_folder_that_is_no_model_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        VoskModel(tmp_path, "none")
    assert all(name in error.value.what.ja for name in NEEDED)
    assert "入れ直して" in error.value.remedy.ja


@pytest.mark.parametrize("name", ["am/final.mdl", "conf/model.conf", "graph"])
def test_a_damaged_model_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    damaged = folder / name
    if damaged.is_dir():
        damaged = next(p for p in (damaged / "HCLG.fst", damaged / "HCLr.fst") if p.is_file())
    damaged.write_bytes(b"junk" * 1000)
    with pytest.raises(ModelError) as error:
        VoskModel(folder, "damaged")
    assert str(folder) in error.value.what.ja


def test_a_call_is_recognised_in_words_with_their_times(model: VoskModel, call: np.ndarray) -> None:
    found = recognise(model.recognizer(), call)
    assert len(found) >= 2
    assert all(said.text and " " not in said.text for said in found)
    assert all(0 <= said.start_s < said.end_s <= len(call) / RATE + 0.1 for said in found)
    assert [said.start_s for said in found] == sorted(said.start_s for said in found)


def test_the_recognisers_clock_goes_on_after_every_utterance(model: VoskModel, call: np.ndarray) -> None:
    recognizer = model.recognizer()
    first = recognise(recognizer, call)
    again = recognise(recognizer, call)
    assert again[0].start_s - first[0].start_s == pytest.approx(len(call) / RATE, abs=0.1)


def test_between_two_utterances_there_are_no_words(model: VoskModel, call: np.ndarray) -> None:
    recognizer = model.recognizer()
    partials = []
    for at in range(0, len(call), RATE // 10):
        if recognizer.accept(call[at : at + RATE // 10]) is not None:
            partials.append(recognizer.partial())  # noqa: PERF401 - what is asked depends on what was just accepted
    assert partials
    assert set(partials) == {""}


def test_a_model_whose_list_of_words_was_cut_off_hears_those_it_still_has(tmp_path: Path, call: np.ndarray) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    words = folder / "graph/words.txt"
    words.write_text("\n".join(words.read_text(encoding="utf-8").splitlines()[:500]) + "\n", encoding="utf-8")
    found = recognise(VoskModel(folder, "cut off").recognizer(), call)
    assert all(said.text and said.words and 0 <= said.confidence <= 1 for said in found)


def test_silence_has_no_words(model: VoskModel) -> None:
    recognizer = model.recognizer()
    assert recognizer.accept(np.zeros(RATE * 2, np.int16)) is None
    assert recognizer.partial() == ""
    assert recognizer.flush() is None
