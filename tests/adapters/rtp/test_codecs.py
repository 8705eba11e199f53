"""Voices unpacked, and continued where packets are missing."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.adapters.rtp.codecs import Codec, Concealer, Decoder
from tests.adapters.rtp.senders import packed


def a_tone(rate: int, *, seconds: float = 0.5, hertz: float = 200.0, loudness: float = 8000.0) -> np.ndarray:
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


@pytest.mark.parametrize(
    ("codec", "data", "samples"),
    [
        # Values of ITU-T G.711, tables 1a/1b and 2a/2b: silence, the smallest and the largest of both signs.
        (Codec.PCMU, b"\xff\x7f\x80\x00", [0, 0, 32124, -32124]),
        (Codec.PCMA, b"\xd5\x55\xaa\x2a", [8, -8, 32256, -32256]),
    ],
)
def test_g711_is_unpacked_as_the_standard_says(codec: Codec, data: bytes, samples: list[int]) -> None:
    assert Decoder(codec).decode(data).tolist() == samples


@pytest.mark.parametrize("codec", list(Codec))
def test_a_voice_survives_being_packed(codec: Codec) -> None:
    said = a_tone(codec.rate)
    data = packed(said, codec)
    assert len(data) == 4000  # a byte a unit, whatever the codec
    decoder = Decoder(codec)
    heard = np.concatenate([decoder.decode(data[at : at + 160]) for at in range(0, len(data), 160)])
    assert len(heard) == len(said)
    delay = 22 if codec is Codec.G722 else 0  # samples held back by its filters
    error = heard[delay:].astype(float) - said[: len(said) - delay]
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.sqrt(np.mean(said.astype(float) ** 2))


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_a_lost_packet_is_hardly_to_be_heard(rate: int) -> None:
    said, frame = a_tone(rate, hertz=160.0), rate // 50
    concealer = Concealer(rate)
    concealer.heard(said[: 10 * frame])
    made = concealer.lost(frame)
    assert len(made) == frame
    error = made.astype(float) - said[10 * frame : 11 * frame]
    assert np.sqrt(np.mean(error**2)) < 0.25 * 8000 / np.sqrt(2)


def test_what_is_made_up_fades_to_silence_within_a_tenth_of_a_second() -> None:
    concealer = Concealer(8000)
    concealer.heard(a_tone(8000))
    made = concealer.lost(1600)
    assert np.abs(made[:160]).max() > 6000
    assert not made[800:].any()


def test_what_follows_silence_is_not_made_up_from_before_it() -> None:
    concealer = Concealer(8000)
    concealer.heard(a_tone(8000))
    assert not concealer.silent(800).any()
    assert not concealer.lost(160).any()


def test_the_voice_itself_is_left_as_it_was_but_for_the_first_milliseconds_after_a_loss() -> None:
    concealer = Concealer(8000)
    said = a_tone(8000)
    concealer.heard(said)
    concealer.lost(160)
    after = concealer.heard(said)
    assert np.array_equal(after[32:], said[32:])
    assert not np.array_equal(after[:32], said[:32])


def test_nothing_to_unpack_is_nothing_heard() -> None:
    assert [len(Decoder(codec).decode(b"")) for codec in Codec] == [0, 0, 0]
