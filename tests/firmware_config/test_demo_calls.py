"""The demonstration calls are what their scripts say, and sound like a telephone."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge_agent.domain.finding import HARASSMENT

pytestmark = pytest.mark.real

DEMO = Path(__file__).parents[2] / "firmware_config" / "demo"
SCRIPTS = sorted((DEMO / "scripts").glob("*.toml"))
RATE = 8000
FOUR_MB = 4_000_000

every_call = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def read_script(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_times(path: Path) -> dict[str, Any]:
    return json.loads((DEMO / "calls" / f"{path.stem}.json").read_text(encoding="utf-8"))


def read_call(path: Path) -> tuple[np.ndarray, int]:
    return soundfile.read(DEMO / "calls" / f"{path.stem}.flac", dtype="float64", always_2d=True)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + 1e-12))


def test_the_floor_has_every_call_it_promises() -> None:
    assert {path.stem for path in SCRIPTS} == {
        "abuse", "complaint-angry", "despair", "excessive-demand", "exposure", "order-calm", "relay-service",
        "sexual", "threat",
    }  # fmt: skip


def test_every_kind_of_call_and_each_demonstrated_harassment_type_is_there() -> None:
    scripts = [read_script(path) for path in SCRIPTS]

    assert {script["kind"] for script in scripts} == {"harassment", "complaint", "order", "life_safety"}
    assert {label for script in scripts for label in script["expect"]["types"]} == {
        "abuse", "excessive_demand", "exposure", "sexual", "threat",
    }  # fmt: skip


def test_all_calls_together_stay_under_four_megabytes() -> None:
    assert sum(path.stat().st_size for path in (DEMO / "calls").iterdir()) <= FOUR_MB


def test_no_call_lies_there_without_a_script() -> None:
    assert {path.stem for path in (DEMO / "calls").iterdir()} == {path.stem for path in SCRIPTS}


@every_call
def test_a_script_expects_what_its_kind_means(script: Path) -> None:
    written = read_script(script)
    expect = written["expect"]

    assert written["id"] == script.stem
    assert set(expect["types"]) <= set(HARASSMENT)
    assert bool(expect["types"]) is (written["kind"] == "harassment")
    assert expect["complaint"] is (written["kind"] == "complaint")
    assert expect["life_safety"] is (written["kind"] == "life_safety")


@every_call
def test_the_operator_greets_first_and_answers_the_telling_phrase(script: Path) -> None:
    written = read_script(script)
    turns = written["turn"]
    telling = [number for number, turn in enumerate(turns) if turn["telling"]]

    assert turns[0]["speaker"] == "operator"
    assert len(telling) == (1 if written["kind"] in {"harassment", "life_safety"} else 0)
    for number in telling:
        assert turns[number]["speaker"] == "customer"
        assert turns[number + 1]["speaker"] == "operator"


@every_call
def test_a_call_lasts_thirty_to_ninety_seconds_in_stereo(script: Path) -> None:
    call, rate = read_call(script)

    assert rate == RATE
    assert call.shape[1] == 2
    assert 30 <= len(call) / rate <= 90


@every_call
def test_a_call_keeps_to_the_telephone_band(script: Path) -> None:
    call, rate = read_call(script)

    for channel in call.T:
        power = np.abs(np.fft.rfft(channel)) ** 2
        hz = np.fft.rfftfreq(len(channel), 1 / rate)
        outside_db = 10 * np.log10(power[(hz > 3600) | (hz < 200)].sum() / power.sum())
        # What is left there is the rounding of µ-law, which knows no band.
        assert outside_db < -35


@every_call
def test_the_written_times_say_what_the_script_says(script: Path) -> None:
    written, times = read_script(script), read_times(script)

    for key in ("id", "title_ja", "title_en", "kind", "expect"):
        assert times[key] == written[key]
    said = [(turn["speaker"], turn["text"], turn["telling"], turn["loud"]) for turn in times["turns"]]
    assert said == [(turn["speaker"], turn["text"], turn["telling"], turn["loud"]) for turn in written["turn"]]


@every_call
def test_turns_follow_one_another_with_a_pause_to_breathe(script: Path) -> None:
    times = read_times(script)
    call, rate = read_call(script)

    ended = 0.0
    for turn, written in zip(times["turns"], read_script(script)["turn"], strict=True):
        assert written["pause_before_s"] >= 0.7
        assert turn["start"] - ended == pytest.approx(written["pause_before_s"], abs=0.001)
        assert turn["end"] > turn["start"]
        ended = turn["end"]
    assert ended < len(call) / rate == pytest.approx(times["seconds"])


@every_call
def test_each_speaker_is_heard_on_their_own_channel_alone(script: Path) -> None:
    call, rate = read_call(script)

    for turn in read_times(script)["turns"]:
        said = call[round(turn["start"] * rate) : round(turn["end"] * rate)]
        own, other = (0, 1) if turn["speaker"] == "customer" else (1, 0)
        assert level_db(said[:, own]) > -30
        assert level_db(said[:, other]) < -55


@every_call
def test_nobody_speaks_between_the_written_turns(script: Path) -> None:
    call, rate = read_call(script)

    silent = np.ones(len(call), dtype=bool)
    for turn in read_times(script)["turns"]:
        silent[round(turn["start"] * rate) : round(turn["end"] * rate)] = False
    assert level_db(call[silent]) < -55


def test_no_two_calls_share_a_customer_s_voice() -> None:
    voices = [json.dumps(read_times(path)["voices"]["customer"], sort_keys=True) for path in SCRIPTS]

    assert len(set(voices)) == len(SCRIPTS)
