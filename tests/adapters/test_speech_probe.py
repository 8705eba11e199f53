"""A speech model tried in a process of its own, which may end badly without harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge_agent.adapters import speech_probe
from edge_agent.adapters.speech_probe import probe
from edge_agent.errors import ModelError
from edge_agent.services.speech.self_test import HIGHEST_CER, self_test
from edge_agent.settings import share

pytestmark = pytest.mark.real

MODELS = share() / "models"
MODEL = MODELS / "speech/ja-starter"


def test_the_shipped_model_passes_its_self_test() -> None:
    passed = self_test(MODEL, shipped=MODELS, probe=probe)
    assert passed.cer < HIGHEST_CER / 2
    assert all(passed.heard)


def test_a_damaged_model_is_told_in_both_languages(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model/am/final.mdl").write_bytes(b"junk" * 1000)
    with pytest.raises(ModelError) as error:
        probe(tmp_path / "model", [])
    assert "読み込めません" in error.value.what.ja
    assert error.value.what.en == "Speech model model cannot be loaded by the recogniser."
    assert str(tmp_path) not in error.value.what.ja


def test_a_folder_that_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        probe(tmp_path, [])


def test_a_process_that_is_ended_is_a_model_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(speech_probe, "PROGRAM", "tests.adapters.ends_itself")
    with pytest.raises(ModelError, match="exit -6"):
        probe(tmp_path, [])


def test_a_process_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_probe, "LONGEST_S", 0.01)
    with pytest.raises(ModelError, match="does not finish"):
        probe(tmp_path, [])
