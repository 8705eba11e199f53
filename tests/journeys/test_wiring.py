"""Swapped and leaking wires are told by what real recognition hears, call after call."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.pipeline.line_watch import LineWatch
from edge_agent.pipeline.listen import LineListener
from edge_agent.ports import AudioBlock
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.speech.choice import find_speech
from edge_agent.settings import Settings, share

pytestmark = [pytest.mark.journey, pytest.mark.real]

CALLS = [share() / f"firmware_config/demo/calls/{name}.flac" for name in ("order-calm", "complaint-angry")]
LEAK = 6
"""The one side is so much quieter on the other: 16 dB."""


def blocks(call: Path, wiring: str) -> list[AudioBlock]:
    wired = []
    for block in AudioFile(call).blocks():
        assert block.operator is not None
        one, other = block.customer, block.operator
        if wiring == "swapped":
            one, other = other, one
        elif wiring == "leaking":
            one, other = one // 2 + other // LEAK, other // 2 + one // LEAK
        wired.append(AudioBlock(customer=one, operator=other))
    return wired


@pytest.mark.parametrize(("wiring", "told"), [("right", set()), ("swapped", {"swapped"}), ("leaking", {"cross_talk"})])
def test_how_a_line_is_wired_is_told_from_a_few_calls(wiring: str, told: set[str]) -> None:
    settings = Settings()
    policy = load_policy(settings.policy_file)
    speech = find_speech(settings, settings.models.speech)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    watch, names = LineWatch("01", settings=settings.health, policy=policy), set()
    listener = LineListener(
        "01",
        VoskModel(speech.folder, speech.version),
        SileroDetector,
        OnnxClassifier(harassment.folder),
        policy,
        settings,
        new_id=iter("abcdefghij").__next__,
        whole_source_is_one_call=True,
    )
    for call in CALLS:
        for block in blocks(call, wiring):
            watch.hear(block)
            watch.note_events(listener.feed(block))
            names |= {trouble.name for trouble in watch.report().troubles}
        watch.note_events(listener.finish())
    assert names == told
