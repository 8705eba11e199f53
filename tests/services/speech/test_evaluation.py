"""Recordings with transcripts, measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.services.speech.evaluation import (
    Heard,
    Recording,
    compare,
    evaluate,
    figures,
)

TELLING = ("殺す", "土下座")


def a_heard(text: str = "", *, words: int = 0, audio_s: float = 10.0, cpu_s: float = 0.2) -> Heard:
    return Heard(text=text, words=words, audio_s=audio_s, cpu_s=cpu_s)


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
