"""Telephone codecs: 8 kHz mono samples in, what comes out at the other end of the line out.

Companding by formula, GSM and Opus through libsndfile, AMR-NB through `sox`, G.726 through `ffmpeg`; both programs are
needed by this recipe alone.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

LINE_RATE = 8000
ALAW = 87.6
"""The constant of A-law companding (ITU-T G.711)."""
MULAW = 255.0
"""The constant of µ-law companding (ITU-T G.711)."""
AMR_MODES = 8
"""AMR-NB has eight bit rates, mode 0 (4.75 kbit/s) to mode 7 (12.2 kbit/s); 3GPP TS 26.071."""
G726_RATES = (24, 32, 40)
"""Bit rates of G.726 in kbit/s that are heard on lines."""


def mulaw(x: Samples) -> Samples:
    """Return samples as they come out of 8-bit µ-law (continuous formula)."""
    y = np.sign(x) * np.log1p(MULAW * np.abs(np.clip(x, -1, 1))) / np.log1p(MULAW)
    y = np.round(y * 127) / 127
    return np.sign(y) * ((1 + MULAW) ** np.abs(y) - 1) / MULAW


def alaw(x: Samples) -> Samples:
    """Return samples as they come out of 8-bit A-law (continuous formula)."""
    size = np.abs(np.clip(x, -1, 1))
    scale = 1 + np.log(ALAW)
    y = np.where(size < 1 / ALAW, ALAW * size, 1 + np.log(np.maximum(ALAW * size, 1e-9))) / scale
    y = np.round(y * 127) / 127
    back = np.where(y < 1 / scale, y * scale, np.exp(np.minimum(y * scale - 1, 0.0 + np.log(ALAW)))) / ALAW
    return np.sign(x) * back


def gsm(x: Samples) -> Samples:
    """Return samples after the GSM full-rate codec (libsndfile's GSM 6.10)."""
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(x, -1, 1), LINE_RATE, format="WAV", subtype="GSM610")
    coded.seek(0)
    out, _ = soundfile.read(coded)
    return _fitted(out, len(x))


def opus(x: Samples, thrift: float) -> Samples:
    """Return samples after narrow-band Opus; `thrift` 0.9 is some 30 kbit/s, 1.0 is 6 kbit/s (libsndfile)."""
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(x, -1, 1), LINE_RATE, format="OGG", subtype="OPUS", compression_level=thrift)
    coded.seek(0)
    out, _ = soundfile.read(coded)
    return _fitted(out, len(x))


def amr(x: Samples, mode: int) -> Samples:
    """Return samples after AMR-NB at one of its `AMR_MODES`.

    Raises:
        FileNotFoundError: `sox` is not installed.
        subprocess.CalledProcessError: it knows no AMR-NB.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, coded, back = (Path(folder) / name for name in ("in.wav", "coded.amr-nb", "out.wav"))
        soundfile.write(given, np.clip(x, -1, 1), LINE_RATE, subtype="PCM_16")
        subprocess.run(["sox", str(given), "-C", str(mode), str(coded)], check=True, capture_output=True)
        subprocess.run(["sox", str(coded), str(back)], check=True, capture_output=True)
        out, _ = soundfile.read(back)
    return _fitted(out, len(x))


def g726(x: Samples, kilobits: int) -> Samples:
    """Return samples after G.726 ADPCM at 24, 32 or 40 kbit/s.

    Raises:
        FileNotFoundError: `ffmpeg` is not installed.
        subprocess.CalledProcessError: it knows no G.726.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, coded, back = (Path(folder) / name for name in ("in.wav", "coded.wav", "out.wav"))
        soundfile.write(given, np.clip(x, -1, 1), LINE_RATE, subtype="PCM_16")
        quiet = ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-i"]
        subprocess.run([*quiet, str(given), "-c:a", "g726", "-b:a", f"{kilobits}k", str(coded)], check=True)
        subprocess.run([*quiet, str(coded), "-c:a", "pcm_s16le", str(back)], check=True)
        out, _ = soundfile.read(back)
    return _fitted(out, len(x))


def lose_packets(x: Samples, rng: np.random.Generator, share: float) -> Samples:
    """Return samples with lost 20 ms packets, each replaced by the one before it at half level."""
    packet = LINE_RATE // 50
    out = x.copy()
    for start in range(packet, len(x) - packet, packet):
        if rng.random() < share:
            out[start : start + packet] = out[start - packet : start] * 0.5
    return out


def _fitted(x: Samples, length: int) -> Samples:
    return x[:length] if len(x) >= length else np.pad(x, (0, length - len(x)))
