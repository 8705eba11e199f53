"""The recordings of scripted calls, as the appliance reads them."""

import json
import sys
from pathlib import Path

import pytest

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.ports import RATE
from edge_agent.services.scripts import read_scripts

MODELS = Path(__file__).resolve().parents[2] / "models"
CALLS = MODELS / "harassment" / "calls"
RECORDINGS = sorted((CALLS / "audio").glob("*.opus"))
# The recipe is a folder of scripts with an environment of its own, not a package of the appliance.
sys.path.insert(0, str(MODELS / "speech" / "recipe"))

from render_scripts import leak_db  # noqa: E402

HEARD_DB = -40.0
"""Softer than this, one side is not recognised on the other's channel; a coupled stereo file had -15 dB."""


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("speaker", ["customer", "operator"])
def test_nobody_is_heard_on_the_other_side_of_a_recorded_call(recording: Path, speaker: str) -> None:
    assert leak_db(recording, speaker) < HEARD_DB


def test_every_recording_is_a_whole_call_of_two_sides() -> None:
    turns = {script.call_id: [turn.speaker.value for turn in script.turns] for script in read_scripts(CALLS)}
    assert RECORDINGS
    for recording in RECORDINGS:
        table = json.loads(recording.with_suffix(".json").read_text(encoding="utf-8"))
        source = AudioFile(recording)
        assert source.channels == 2
        assert source.duration_s == pytest.approx(table["seconds"], abs=0.05)
        assert [turn["speaker"] for turn in table["turns"]] == turns[recording.stem]
        heard_s = sum(len(block.customer) for block in source.blocks()) / RATE
        assert heard_s == pytest.approx(table["seconds"], abs=0.05)
