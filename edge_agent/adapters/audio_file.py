"""A recorded call: any rate, mono (customer alone) or stereo (customer left, operator right)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from edge_agent.errors import AudioError, Text
from edge_agent.ports import RATE, AudioBlock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from edge_agent.ports import Samples

    Floats = npt.NDArray[np.float32]

BLOCK_SAMPLES = RATE // 10
"""Samples per channel of a block: 100 ms."""
LOWEST_RATE = 4000
"""Below it no speech is left to recognise."""
OGG_LAST_PAGE = 0x04
"""Header type flag of the page that ends an Ogg stream (RFC 3533, section 6)."""
OGG_PAGE_LIMIT = 65_307
"""Most bytes an Ogg page can have (RFC 3533, section 6)."""
WAV_UNKNOWN_LENGTH = (0, 0xFFFF_FFFF)
"""Data lengths written by programs that could not know it: no sign of a cut file."""

REMEDY = Text(
    "モノラル（お客様）またはステレオ（左がお客様、右がオペレーター）の WAV・FLAC・Opus・Ogg を指定してください。",
    "Give a WAV, FLAC, Opus or Ogg file, mono (customer) or stereo (customer left, operator right).",
)
REMEDY_CUT = Text("ファイルをもう一度コピーしてください。", "Copy the file again.")


class AudioFile:
    """An audio source that reads a file as fast as it is asked, in constant memory.

    Raises:
        AudioError: there is no such file, it is no audio, empty, cut off, or has more than two channels.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise _error(path, "ありません。", "does not exist.", REMEDY)
        if path.stat().st_size == 0:
            raise _error(path, "空です。", "is empty.", REMEDY)
        try:
            facts = soundfile.info(str(path))
        except (soundfile.SoundFileError, OSError) as error:
            raise _error(path, "音声ファイルではありません。", "is no audio file.", REMEDY) from error
        if facts.frames <= 0:
            raise _error(path, "音声が入っていません。", "holds no audio.", REMEDY)
        if facts.channels > 2:  # noqa: PLR2004 - customer and operator
            raise _error(path, f"{facts.channels}チャンネルあります。", f"has {facts.channels} channels.", REMEDY)
        if facts.samplerate < LOWEST_RATE:
            raise _error(
                path,
                f"サンプリング周波数が{facts.samplerate} Hz しかありません。",
                f"has only {facts.samplerate} samples per second.",
                REMEDY,
            )
        if _cut(path):
            raise _cut_error(path)
        self.channels = int(facts.channels)
        self.duration_s = float(facts.frames / facts.samplerate)

    def blocks(self) -> Iterator[AudioBlock]:
        """Yield blocks of 100 ms (the last one shorter); raise `AudioError` if the file turns out to be cut off."""
        rest: Samples = np.empty((0, self.channels), np.int16)
        for samples in self._resampled():
            rest = np.concatenate((rest, samples))
            while len(rest) >= BLOCK_SAMPLES:
                yield self._block(rest[:BLOCK_SAMPLES])
                rest = rest[BLOCK_SAMPLES:]
        if len(rest):
            yield self._block(rest)

    def _block(self, samples: Samples) -> AudioBlock:
        return AudioBlock(
            customer=np.ascontiguousarray(samples[:, 0]),
            operator=np.ascontiguousarray(samples[:, 1]) if self.channels > 1 else None,
        )

    def _resampled(self) -> Iterator[Samples]:
        try:
            with soundfile.SoundFile(str(self.path)) as file:
                stream = soxr.ResampleStream(file.samplerate, RATE, self.channels, dtype="float32")
                expected, got = file.frames, 0
                # Float: read as int16, libsndfile would not scale files that hold float samples.
                for chunk in file.blocks(blocksize=file.samplerate, dtype="float32", always_2d=True):
                    got += len(chunk)
                    yield _int16(chunk if file.samplerate == RATE else stream.resample_chunk(chunk))
                if file.samplerate != RATE:
                    nothing: Floats = np.empty((0, self.channels), np.float32)
                    yield _int16(stream.resample_chunk(nothing, last=True))
        except (soundfile.SoundFileError, OSError) as error:
            raise _cut_error(self.path) from error
        if got < expected:
            raise _cut_error(self.path)


def _int16(samples: Floats) -> Samples:
    scaled: Floats = np.clip(np.rint(samples * np.float32(32767.0)), -32768, 32767)
    return scaled.astype(np.int16)


def _cut(path: Path) -> bool:
    """Say whether a file ends before its own header says it does; libsndfile plays what is there and says nothing."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            size = path.stat().st_size
            while len(chunk := file.read(8)) == 8:  # noqa: PLR2004 - a chunk's name and length
                name, length = struct.unpack("<4sI", chunk)
                if name == b"data":
                    return length not in WAV_UNKNOWN_LENGTH and file.tell() + length > size
                file.seek(length + length % 2, 1)
            return True
        if head[:4] == b"OggS":
            file.seek(max(0, path.stat().st_size - OGG_PAGE_LIMIT))
            end = file.read()
            last = end.rfind(b"OggS")
            return last < 0 or len(end) < last + 6 or not end[last + 5] & OGG_LAST_PAGE
    return False


def _cut_error(path: Path) -> AudioError:
    return _error(path, "途中で切れているか、壊れています。", "is cut off or damaged.", REMEDY_CUT)


def _error(path: Path, ja: str, en: str, remedy: Text) -> AudioError:
    return AudioError(Text(f"音声ファイル {path}: {ja}", f"Audio file {path} {en}"), remedy)
