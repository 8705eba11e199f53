"""Voice activity."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.silero import SileroDetector
from edge_agent.settings import share

pytestmark = pytest.mark.real

CALLS = share() / "firmware_config/demo/calls"


def frames_of(samples: np.ndarray, size: int) -> np.ndarray:
    return samples[: len(samples) // size * size].reshape(-1, size)


def customer_of(path: Path, *, seconds: int) -> np.ndarray:
    return np.concatenate([block.customer for block in islice(AudioFile(path).blocks(), seconds * 10)])


def test_silence_and_line_noise_are_no_speech() -> None:
    detector = SileroDetector()
    noise = np.random.default_rng(1).normal(0, 15, 16_000).astype(np.int16)
    for samples in (np.zeros(16_000, np.int16), noise):
        assert max(detector.probabilities(frames_of(samples, detector.frame_samples))) < 0.1


def test_loud_noise_is_no_speech() -> None:
    detector = SileroDetector()
    noise = np.random.default_rng(1).normal(0, 3000, 32_000).astype(np.int16)
    assert max(detector.probabilities(frames_of(noise, detector.frame_samples))) < 0.5


@pytest.mark.parametrize("call", ["abuse", "despair", "order-calm"])
def test_a_callers_speech_is_speech_from_its_first_moment(call: str) -> None:
    samples = customer_of(CALLS / f"{call}.flac", seconds=20)
    first = int(np.argmax(np.abs(samples) > 1000))  # no silence before it that the network could settle in
    detector = SileroDetector()
    frames = frames_of(samples[first:], detector.frame_samples)
    heard = np.array(detector.probabilities(frames))
    loud = np.array([float(np.sqrt(np.mean(frame.astype(float) ** 2))) > 1000 for frame in frames])
    assert loud.sum() > 50
    assert np.mean(heard[loud] > 0.5) > 0.93
    assert np.argmax(heard > 0.5) < 8  # within the lead-in that recognition is given
    assert np.mean(heard > 0.5) < 0.7  # a customer speaks part of the time


def test_what_was_heard_before_is_forgotten_on_request() -> None:
    detector, fresh = SileroDetector(), SileroDetector()
    noise = np.random.default_rng(2).normal(0, 4000, 5120).astype(np.int16)
    frames = frames_of(noise, detector.frame_samples)
    first = detector.probabilities(frames)
    detector.reset()
    assert detector.probabilities(frames) == first
    assert fresh.probabilities(frames) == first


def test_frames_given_one_by_one_or_together_are_heard_alike() -> None:
    samples = customer_of(CALLS / "abuse.flac", seconds=12)
    together, single = SileroDetector(), SileroDetector()
    frames = frames_of(samples, together.frame_samples)
    one_by_one = [probability for frame in frames for probability in single.probabilities(frame[np.newaxis])]
    assert together.probabilities(frames) == pytest.approx(one_by_one, abs=0.001)
    assert max(one_by_one) > 0.9


@pytest.mark.journey
def test_a_quiet_channel_costs_next_to_nothing() -> None:
    detector = SileroDetector()
    frame = np.zeros((1, detector.frame_samples), np.int16)
    began = time.thread_time()
    for _ in range(1000):
        detector.probabilities(frame)
    assert time.thread_time() - began < 0.2  # 32 s of audio
