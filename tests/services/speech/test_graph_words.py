"""Words put into the graph of the shipped model: heard where they are said, and nothing else is disturbed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.errors import ModelError
from edge_agent.services.speech.fst_file import read_graph, write_graph
from edge_agent.services.speech.graph_words import HCLG, WORDS, add_words, read_labels
from edge_agent.services.speech.readings import Weight, Word, checked_word, read_sounds
from edge_agent.settings import share

pytestmark = pytest.mark.real

MODEL = share() / "models/speech/ja-starter"
CALLS = share() / "firmware_config/demo/calls"
PARCEL_S = (10.2, 15.5)
"""Where the operator of the call `threat` says 「お荷物の番号をお願いいたします。」, in seconds."""
FIRST_S = (0.0, 20.0)
SOUNDS = read_sounds(MODEL)


def a_word(surface: str, *readings: str, weight: Weight = "usual") -> Word:
    return checked_word(surface, readings, weight, SOUNDS)


def with_words(folder: Path, *words: Word) -> Path:
    shutil.copytree(MODEL, folder)
    add_words(MODEL, words, folder)
    return folder


def heard(folder: Path, call: str, side: str, seconds: tuple[float, float] | None = None) -> str:
    samples = np.concatenate([getattr(block, side) for block in AudioFile(CALLS / f"{call}.flac").blocks()])
    if seconds:
        samples = samples[int(seconds[0] * 16_000) : int(seconds[1] * 16_000)]
    recognizer = VoskModel(folder, "test").recognizer()
    said = [recognizer.accept(samples[at : at + 1600]) for at in range(0, len(samples), 1600)]
    return "".join(words.text for words in [*said, recognizer.flush()] if words)


def test_a_graph_is_written_as_it_was_read(tmp_path: Path) -> None:
    write_graph(tmp_path / "graph", read_graph(MODEL / HCLG))
    before = np.frombuffer((MODEL / HCLG).read_bytes(), np.uint8)
    after = np.frombuffer((tmp_path / "graph").read_bytes(), np.uint8)
    # The properties in the headers differ: those that could stop being true are left to be found out.
    assert len(before) == len(after)
    assert np.count_nonzero(before != after) <= 8


@pytest.fixture(scope="module")
def worded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    product = a_word("番号便", "オニモツノバンゴウ", weight="often")
    return with_words(
        tmp_path_factory.mktemp("worded") / "model", product, a_word("守ケア", "マモリケア", weight="rare")
    )


def test_a_new_word_is_heard_where_it_is_said(worded: Path) -> None:
    assert "荷物の番号" in heard(MODEL, "threat", "operator", PARCEL_S)
    found = heard(worded, "threat", "operator", PARCEL_S)
    assert "番号便" in found
    assert "お願いいたします" in found
    assert {"番号便", "守ケア"} <= read_labels(worded / WORDS).keys()


def test_a_new_reading_of_a_known_word_is_heard(tmp_path: Path) -> None:
    known = "電話"
    folder = with_words(tmp_path / "model", a_word(known, "オニモツノバンゴウ", weight="often"))
    assert known in heard(folder, "threat", "operator", PARCEL_S)
    assert read_labels(folder / WORDS) == read_labels(MODEL / WORDS)


def test_calls_without_the_new_word_are_heard_as_before(tmp_path: Path) -> None:
    folder = with_words(tmp_path / "model", a_word("守ケアプラス", "マモリケアプラス", weight="rare"))
    for call, side in (("threat", "customer"), ("order-calm", "customer"), ("relay-service", "operator")):
        assert heard(folder, call, side, FIRST_S) == heard(MODEL, call, side, FIRST_S)


def test_a_word_costs_what_its_weight_says() -> None:
    weights = SOUNDS.weights
    assert weights["often"] < weights["usual"] < weights["rare"]


def test_nothing_that_was_there_is_changed(worded: Path) -> None:
    before, after = read_graph(MODEL / HCLG), read_graph(worded / HCLG)
    assert after.states > before.states
    assert (after.finals[: before.states] == before.finals).all()
    kept = (after.sources < before.states) & (after.arcs["target"] < before.states)
    assert np.count_nonzero(kept) == len(before.arcs)
    assert (np.sort(after.arcs[kept], order=["target", "input", "output"])
            == np.sort(before.arcs, order=["target", "input", "output"])).all()  # fmt: skip


def test_a_sound_that_is_no_word_is_not_written_as_one() -> None:
    labels = read_labels(MODEL / WORDS)
    graph = read_graph(MODEL / HCLG)
    entered = graph.arcs[graph.arcs["output"] == labels["[unk]"]]
    # Every sound may begin it, left at once or after a blank.
    assert len(entered) == 2 * len({name[:-2] for name in SOUNDS.sounds})


@pytest.mark.parametrize("content", [b"", b"junk" * 100, (MODEL / HCLG).read_bytes()[:1000]])
def test_a_graph_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "graph.fst"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not of the form"):
        read_graph(file)
