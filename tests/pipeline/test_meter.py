"""A line's audio is measured: on sounds that are known, and on calls people may listen to."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from edge_agent.domain.line_health import ALIKE, Limits, LineHealth, LineSecond, SideLevels
from edge_agent.domain.side_faults import HUM_DBFS
from edge_agent.pipeline.meter import LineMeter
from edge_agent.ports import RATE, AudioBlock

TOP = Path(__file__).parents[2]
CALLS = sorted((TOP / "firmware_config/demo/calls").glob("*.flac"))
BLOCK = RATE // 10
SECOND = np.arange(RATE) / RATE


def tone(hertz: float, dbfs: float, seconds: int = 1) -> np.ndarray:
    """Return a sine whose loudness (not its peak) is `dbfs`."""
    time = np.arange(RATE * seconds) / RATE
    return (np.sqrt(2) * 10 ** (dbfs / 20) * 32768 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def noise(dbfs: float, seconds: int = 1, seed: int = 1) -> np.ndarray:
    size = 10 ** (dbfs / 20) * 32768
    return (np.random.default_rng(seed).normal(0, size, RATE * seconds)).clip(-32768, 32767).astype(np.int16)


def bursts(seconds: int, *, seed: int, duty: float = 0.5) -> np.ndarray:
    """Return something like speech: loud noise that comes and goes, over quiet noise."""
    wave = noise(-20, seconds, seed).reshape(-1, BLOCK)
    wave[np.random.default_rng(seed).random(len(wave)) > duty] //= 256
    return wave.ravel()


def measured(customer: np.ndarray, operator: np.ndarray | None = None, **facts: bool | None) -> list[LineSecond]:
    meter = LineMeter()
    other = np.zeros_like(customer) if operator is None else operator
    seconds = [
        meter.feed(AudioBlock(customer=customer[at : at + BLOCK], operator=other[at : at + BLOCK], **facts))
        for at in range(0, len(customer) - BLOCK + 1, BLOCK)
    ]
    return [second for second in seconds if second is not None]


def troubles(seconds: list[LineSecond]) -> set[str]:
    """Return the names of everything that was told at some time."""
    line, told = LineHealth(limits=Limits()), set()
    for second in seconds:
        line.hear(second)
        told |= {trouble.name for trouble in line.troubles}
    return told


def of_customer(wave: np.ndarray) -> SideLevels:
    return measured(wave)[-1].customer


def test_loudness_and_peak_of_a_tone_are_what_they_are() -> None:
    (second,) = measured(tone(1000, -20.0), tone(440, -43.0))
    assert second.customer.rms_dbfs == pytest.approx(-20.0, abs=0.05)
    assert second.customer.level_dbfs == pytest.approx(-20.0, abs=0.05)
    assert second.customer.peak_dbfs == pytest.approx(-17.0, abs=0.05)
    assert second.operator.rms_dbfs == pytest.approx(-43.0, abs=0.05)


def test_silence_is_no_number_that_breaks_a_scale() -> None:
    side = of_customer(np.zeros(RATE, np.int16))
    assert (side.rms_dbfs, side.peak_dbfs, side.speech, side.clipped, side.hum_hz) == (-120.0, -120.0, 0.0, 0.0, 0)


def test_the_share_of_speech_is_told_over_steady_noise() -> None:
    wave = bursts(20, seed=3, duty=0.4)
    loud = np.sqrt((wave.astype(float).reshape(-1, BLOCK) ** 2).mean(axis=1)) > 1000
    seconds = measured(wave)
    assert np.mean([second.customer.speech for second in seconds]) == pytest.approx(loud.mean(), abs=0.02)
    assert np.mean([second.customer.speech for second in measured(noise(-40, 20))][2:]) < 0.02


def test_a_wave_cut_off_at_full_scale_is_counted() -> None:
    assert of_customer((tone(300, -3.6)).astype(np.int16)).clipped == 0.0
    loud = (np.sin(2 * np.pi * 300 * SECOND) * 2).clip(-1, 1)
    assert of_customer((loud * 32767).astype(np.int16)).clipped == pytest.approx(0.67, abs=0.03)
    # G.711 ends a little below full scale.
    assert of_customer((loud * 32124).astype(np.int16)).clipped > 0.6


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("off", [-0.2, 0.0, 0.2])
def test_mains_hum_is_found_with_its_harmonics_through_noise(mains: int, off: float) -> None:
    hum = sum(tone((mains + off) * number, -40.0 - 4 * number, 8).astype(np.int32) for number in (1, 2, 3, 5))
    seconds = measured((hum + noise(-58, 8)).astype(np.int16))
    assert {second.customer.hum_hz for second in seconds} == {mains}
    assert seconds[0].customer.hum_dbfs == pytest.approx(-42.3, abs=1.0)
    assert troubles(seconds) == {"hum:customer"}


def test_hum_whose_fundamental_the_telephone_cut_off_is_found_by_its_harmonics() -> None:
    hum = sum(tone(50 * number, -45.0, 8).astype(np.int32) for number in (6, 7))
    assert troubles(measured((hum + noise(-60, 8)).astype(np.int16))) == {"hum:customer"}


@pytest.mark.parametrize(
    "wave",
    [
        noise(-45, 12),
        tone(400, -20.0, 12),
        tone(400, -20.0, 12) // 2 + tone(416, -20.0, 12) // 2,
        tone(1000, -30.0, 12),
        (tone(400, -20.0, 12) // 2 + tone(416, -20.0, 12) // 2) * (np.arange(12 * RATE) % (3 * RATE) < RATE),
        (tone(770, -20.0, 12) + tone(1336, -20.0, 12)) * (np.arange(12 * RATE) % (RATE // 5) < RATE // 10),
    ],
    ids=["noise", "dial tone", "ringing tone", "test tone", "ringing that comes and goes", "pressed keys"],
)
def test_noise_and_the_tones_of_an_exchange_are_no_trouble(wave: np.ndarray) -> None:
    assert troubles(measured(wave.astype(np.int16))) == set()


def test_the_headroom_of_noise_is_what_statistics_say_and_a_tone_has_none_to_tell() -> None:
    # Of a normal distribution one in a hundred exceeds 2.58 deviations, one in ten 1.64: 3.9 dB.
    loud = noise(-20, 2)
    loud[:RATE] //= 256  # what does not stand out is not looked at
    second = measured(loud)[-1].customer
    assert second.headroom_db == pytest.approx(3.9, abs=0.3)
    assert second.ceiling_dbfs == pytest.approx(-20 + 8.2, abs=0.5)
    assert second.speech_dbfs == pytest.approx(-20, abs=0.2)
    beep = np.concatenate((np.zeros(RATE, np.int16), tone(1000, -20)))
    assert measured(beep)[-1].customer.headroom_db is None


def test_hum_is_not_told_while_somebody_speaks() -> None:
    assert {s.customer.hum_hz for s in measured(bursts(5, seed=4, duty=0.7)) if s.customer.speech} == {None}


@pytest.mark.parametrize(("delay_ms", "db"), [(0, -15), (20, -15), (90, -25)])
def test_a_voice_that_leaks_to_the_other_side_is_cross_talk(delay_ms: int, db: int) -> None:
    voice = bursts(20, seed=5)
    leaked = np.roll(voice, delay_ms * RATE // 1000) * 10 ** (db / 20) + noise(-62, 20, 9)
    seconds = measured(voice, leaked.astype(np.int16))
    assert min(s.likeness for s in seconds if s.customer.speech >= 0.2 and s.likeness is not None) > ALIKE
    assert troubles(seconds) == {"cross_talk"}


def test_hum_on_both_sides_is_not_cross_talk() -> None:
    hum = sum(tone(50 * number, -35.0, 20).astype(np.int32) for number in (1, 2, 3))
    one, other = bursts(20, seed=6) + hum, bursts(20, seed=7) + hum
    assert "cross_talk" not in troubles(measured(one.astype(np.int16), other.astype(np.int16)))


def test_blocks_that_do_not_fit_into_a_second_are_measured_all_the_same() -> None:
    meter = LineMeter()
    wave = tone(1000, -20.0, 2)
    fed = [meter.feed(AudioBlock(customer=wave[at : at + 700], operator=None)) for at in range(0, 21_000, 700)]
    (second,) = [each for each in fed if each is not None]
    assert second.customer.rms_dbfs == pytest.approx(-20.0, abs=0.05)
    assert second.operator.rms_dbfs == -120.0


# --- the shipped recordings --------------------------------------------------------------------------------------


def recording(file: Path) -> np.ndarray:
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return soxr.resample(samples, rate, RATE)


def as_line(samples: np.ndarray) -> list[LineSecond]:
    whole = (samples.clip(-1, 1) * 32767).astype(np.int16)
    return measured(whole[:, 0].copy(), whole[:, 1].copy(), in_call=True)


def through_a_stage(samples: np.ndarray, *, over_db: float, at_dbfs: float, rate: int = RATE) -> np.ndarray:
    """Return a call whose loudest sounds are so much too loud for a stage that clips, then a converter of that rate."""
    wide = soxr.resample(samples, RATE, 48_000)
    ceiling = np.quantile(np.abs(wide), 0.9995, axis=0) / 10 ** (over_db / 20)
    clipped = soxr.resample((wide / ceiling).clip(-1, 1), 48_000, rate)
    return soxr.resample(clipped, rate, RATE) * 10 ** (at_dbfs / 20)


@pytest.mark.parametrize("file", CALLS, ids=lambda file: file.stem)
def test_nothing_is_wrong_with_the_shipped_calls(file: Path) -> None:
    seconds = as_line(recording(file))
    assert troubles(seconds) == set()
    spoken = [np.mean([s.customer.speech for s in seconds]), np.mean([s.operator.speech for s in seconds])]
    assert all(0.1 < share < 0.8 for share in spoken)


def test_a_shipped_call_turned_up_too_far_is_clipped_on_both_sides() -> None:
    samples = recording(CALLS[0])
    assert troubles(as_line(samples / np.abs(samples).max(axis=0) * 2.5)) == {"clipping:customer", "clipping:operator"}


@pytest.mark.parametrize(("over_db", "at_dbfs", "rate"), [(8, -6, RATE), (8, -6, 8000), (12, -20, 8000)])
def test_a_shipped_call_through_a_stage_that_clips_is_told_though_far_from_full_scale(
    over_db: float, at_dbfs: float, rate: int
) -> None:
    samples = through_a_stage(recording(CALLS[0]), over_db=over_db, at_dbfs=at_dbfs, rate=rate)
    seconds = as_line(samples)
    assert max(max(s.customer.clipped, s.operator.clipped) for s in seconds) == 0
    assert troubles(seconds) == {"overdriven:customer", "overdriven:operator"}


def test_a_shipped_call_that_comes_in_far_too_quiet_is_told_by_its_side() -> None:
    samples = np.concatenate([recording(file) for file in CALLS[:2]])
    samples[:, 0] *= 10 ** (-30 / 20)
    assert troubles(as_line(samples)) == {"quiet:customer"}
    samples[:, 0] *= 10 ** (20 / 20)
    assert troubles(as_line(samples)) == set()


def test_a_shipped_call_over_a_humming_line_is_told_by_its_side() -> None:
    samples = recording(CALLS[0])
    time = np.arange(len(samples)) / RATE
    samples[:, 1] += 0.01 * np.sin(2 * np.pi * 50 * time) + 0.005 * np.sin(2 * np.pi * 150 * time)
    seconds = as_line(samples)
    assert troubles(seconds) == {"hum:operator"}
    assert max(s.operator.hum_dbfs for s in seconds) > HUM_DBFS


def test_two_people_who_speak_at_once_are_not_alike() -> None:
    likeness = []
    for one, other in pairwise(CALLS):
        a, b = (_speech_alone(recording(file)[:, side]) for file, side in ((one, 0), (other, 1)))
        length = min(len(a), len(b))
        likeness += [s.likeness for s in as_line(np.column_stack((a[:length], b[:length])))]
    assert max(each for each in likeness if each is not None) < 0.35
    assert len(likeness) > 60


def _speech_alone(wave: np.ndarray) -> np.ndarray:
    parts = wave[: len(wave) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return parts[np.sqrt((parts**2).mean(axis=1)) > 0.01].ravel()
