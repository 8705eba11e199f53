"""Recorded calls: whatever their format, rate and length, 16 kHz blocks of 100 ms come out, or a clear refusal."""

from __future__ import annotations

import struct
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from edge_agent.adapters.audio_file import BLOCK_SAMPLES, AudioFile
from edge_agent.errors import AudioError
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def a_tone(hertz: int, *, seconds: float, rate: int) -> npt.NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def a_file(folder: Path, name: str, *, rate: int, channels: int = 2, seconds: float = 2.0, subtype: str = "") -> Path:
    """Write a call: 300 Hz on the left, 500 Hz on the right, 700 Hz on a third channel."""
    path = folder / name
    tones = np.column_stack([a_tone(300 + 200 * c, seconds=seconds, rate=rate) for c in range(channels)])
    soundfile.write(path, tones, rate, subtype=subtype or None)
    return path


def pitch(samples: npt.NDArray[np.int16]) -> float:
    """Return the loudest frequency in hertz."""
    return float(np.abs(np.fft.rfft(samples.astype(np.float64))).argmax() * RATE / len(samples))


@pytest.mark.parametrize(
    ("name", "rate", "subtype"),
    [
        ("call.wav", 8000, "PCM_16"),
        ("call.wav", 8000, "ULAW"),
        ("call.wav", 44_100, "PCM_24"),
        ("call.wav", 16_000, "FLOAT"),
        ("call.flac", 16_000, "PCM_16"),
        ("call.flac", 96_000, "PCM_24"),
        ("call.ogg", 22_050, "VORBIS"),
        ("call.opus", 48_000, "OPUS"),
        ("call.opus", 8000, "OPUS"),
    ],
)
def test_a_stereo_call_has_the_customer_left_and_the_operator_right(
    tmp_path: Path, name: str, rate: int, subtype: str
) -> None:
    path = tmp_path / name
    both = np.column_stack([a_tone(hertz, seconds=2, rate=rate) for hertz in (300, 500)])
    soundfile.write(path, both, rate, subtype=subtype, format="OGG" if name.endswith("opus") else None)
    blocks = list(AudioFile(path).blocks())
    customer = np.concatenate([block.customer for block in blocks])
    operator = np.concatenate([block.operator for block in blocks if block.operator is not None])
    assert len(customer) == len(operator)
    assert len(customer) == pytest.approx(2 * RATE, abs=RATE * 0.02)
    assert all(len(block.customer) == BLOCK_SAMPLES for block in blocks[:-1])
    assert pitch(customer) == pytest.approx(300, abs=1)
    assert pitch(operator) == pytest.approx(500, abs=1)
    middle = customer[RATE // 2 : -RATE // 2]  # lossy codecs overshoot at the edges
    assert np.abs(middle).max() == pytest.approx(16_384, rel=0.2)


def test_a_mono_call_is_the_customer_alone(tmp_path: Path) -> None:
    source = AudioFile(a_file(tmp_path, "call.wav", rate=8000, channels=1))
    blocks = list(source.blocks())
    assert source.duration_s == 2.0
    assert {block.operator for block in blocks} == {None}
    assert pitch(np.concatenate([block.customer for block in blocks])) == pytest.approx(300, abs=1)


def test_a_file_at_16_kilohertz_is_not_touched(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, RATE, np.int16)
    soundfile.write(tmp_path / "call.flac", noise, RATE)
    heard = np.concatenate([block.customer for block in AudioFile(tmp_path / "call.flac").blocks()])
    assert np.abs(heard.astype(int) - noise).max() <= 1  # 32767 stands for full scale on the way back


def test_a_long_call_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8000, 2) as file:
        for _ in range(240):
            file.write(np.zeros((8000, 2), np.int16))
    tracemalloc.start()
    try:
        count = sum(1 for _ in AudioFile(path).blocks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 2400
    assert peak < 3_000_000  # bytes; all of it would take 15 MB


def refused(path: Path) -> AudioError:
    with pytest.raises(AudioError) as error:
        list(AudioFile(path).blocks())
    assert str(path) in error.value.what.ja
    assert error.value.remedy.ja
    assert error.value.remedy.en
    return error.value


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "ありません" in refused(tmp_path / "none.wav").what.ja


def test_a_file_without_a_byte_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    assert "空です" in refused(tmp_path / "empty.wav").what.ja


def test_a_file_without_audio_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.empty((0, 2), np.int16), 8000)
    assert "音声が入っていません" in refused(tmp_path / "silent.wav").what.ja


def test_a_text_that_calls_itself_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("拝啓、お客様相談室御中\n" * 100)
    error = refused(tmp_path / "letter.wav")
    assert "音声ファイルではありません" in error.what.ja
    assert "モノラル" in error.remedy.ja


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    assert "3チャンネル" in refused(a_file(tmp_path, "three.wav", rate=8000, channels=3)).what.ja


def test_a_rate_too_low_for_speech_is_refused(tmp_path: Path) -> None:
    assert "1000 Hz" in refused(a_file(tmp_path, "low.wav", rate=1000)).what.ja


@pytest.mark.parametrize(
    ("name", "rate", "subtype"),
    [("call.wav", 8000, "PCM_16"), ("call.flac", 8000, "PCM_16"), ("call.ogg", 16_000, "VORBIS")],
)
@pytest.mark.parametrize("share", [0.9, 0.4])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str, rate: int, subtype: str, share: float) -> None:
    path = a_file(tmp_path, name, rate=rate, subtype=subtype, seconds=20)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    error = refused(path)
    assert "切れている" in error.what.ja or "音声ファイルではありません" in error.what.ja
    path.write_bytes(whole)
    assert sum(len(block.customer) for block in AudioFile(path).blocks()) == pytest.approx(20 * RATE, abs=RATE * 0.1)


def test_a_recording_whose_writer_did_not_know_its_length_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, "piped.wav", rate=8000)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", 0xFFFF_FFFF)
    path.write_bytes(data)
    assert sum(len(block.customer) for block in AudioFile(path).blocks()) == pytest.approx(2 * RATE, abs=RATE * 0.02)
