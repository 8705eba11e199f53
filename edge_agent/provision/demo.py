"""The demonstration floor: recorded calls played in real time through a sound card of eight seats.

The card is the ALSA plug-in of firmware_config/audio; everything from PyAudio on is what a real floor uses.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from edge_agent.errors import ProvisionError, Text
from edge_agent.provision.files import write_private
from edge_agent.settings import share

CARD = "mamori demo tap"
"""What the card is called; the demonstration settings look for it by this name."""
RATE = 8000
SEATS = 8
LOOP_S = 300
"""After this the floor's day starts again."""
SCHEDULE: tuple[tuple[int, int, str], ...] = (
    # Second of the loop, seat (1–8), call. Several calls are under way at any time, and pauses between two calls
    # of a seat are longer than the silence that ends a call.
    (2, 1, "order-calm"),
    (4, 3, "threat"),
    (8, 5, "complaint-angry"),
    (30, 7, "despair"),
    (45, 2, "abuse"),
    (70, 6, "sexual"),
    (95, 4, "excessive-demand"),
    (110, 8, "relay-service"),
    (125, 1, "exposure"),
    (140, 3, "order-calm"),
    (160, 5, "relay-service"),
    (175, 7, "order-calm"),
    (195, 2, "complaint-angry"),
    (215, 6, "order-calm"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One call on one seat of the loop, `start_s` seconds after the loop's start."""

    start_s: float
    seat: int
    call: str


def calls_folder() -> Path:
    """Return where the recorded calls lie."""
    return share() / "firmware_config/demo/calls"


def ensure_card(folder: Path, *, epoch: float | None = None) -> Path:
    """Build the plug-in and write the card's configuration and recording; return the ALSA configuration.

    Built and rendered once; `epoch` (Unix time at which the loop was at its start) is written anew every time.

    Raises:
        ProvisionError: if the plug-in cannot be built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    build_plugin(folder)
    recording = folder / "floor.raw"
    wanted = json.dumps(
        {"schedule": SCHEDULE, "loop_s": LOOP_S, "calls": [(f.name, f.stat().st_size) for f in _recordings()]}
    )
    stamp = folder / "floor.json"
    if not recording.is_file() or not stamp.is_file() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        render(recording, [Placed(start_s=s, seat=seat, call=call) for s, seat, call in SCHEDULE], length_s=LOOP_S)
        stamp.write_text(wanted)
    return write_configuration(folder, recording, epoch=time.time() if epoch is None else epoch)


def build_plugin(folder: Path) -> Path:
    """Build the ALSA plug-in into `folder`; return it. Raises `ProvisionError` with the compiler's words."""
    source = share() / "firmware_config/audio"
    done = subprocess.run(
        ["make", "-s", "-C", str(source), f"OUT={folder.resolve()}"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProvisionError(
            Text("実演用の音声カードを作れません。", "The demonstration's sound card cannot be built."),
            Text(
                f"「sudo apt-get install build-essential libasound2-dev」を確認してください: {done.stderr[-500:]}",
                f"See that build-essential and libasound2-dev are installed: {done.stderr[-500:]}",
            ),
        )
    return folder / "libasound_module_pcm_mamoritap.so"


def render(recording: Path, placed: list[Placed], *, length_s: float, seats: int = SEATS) -> None:
    """Write raw int16 frames of all seats' channels (customer, operator, customer, …) at `RATE`; silence is sparse."""
    channels = 2 * seats
    frames = int(length_s * RATE)
    part = recording.with_suffix(".part")
    with part.open("wb") as stream:
        stream.truncate(frames * channels * 2)
    floor = np.memmap(part, np.int16, "r+", shape=(frames, channels))
    for call in placed:
        audio, rate = soundfile.read(recorded(call.call), dtype="int16", always_2d=True)
        if rate != RATE:
            msg = f"demonstration call {call.call} has {rate} samples per second instead of {RATE}"
            raise ValueError(msg)
        start = int(call.start_s * RATE)
        audio = audio[: frames - start]
        first = 2 * (call.seat - 1)
        floor[start : start + len(audio), first : first + 2] = audio
    floor.flush()
    del floor
    part.replace(recording)


def recorded(call: str) -> Path:
    """Return the recording of a call, whatever it is compressed with."""
    for file in _recordings():
        if file.stem == call:
            return file
    raise ProvisionError(
        Text(f"実演用の通話「{call}」がありません。", f"The demonstration call {call!r} is missing."),
        Text("「git checkout firmware_config/demo」で元に戻してください。", "Restore firmware_config/demo."),
    )


def write_configuration(
    folder: Path,
    recording: Path,
    *,
    epoch: float | None = None,
    channels: int = 2 * SEATS,
    loop: bool = True,
    card: str = CARD,
) -> Path:
    """Write the ALSA configuration that makes `recording` the card `card`; return the file."""
    lines = [
        f'pcm_type.mamoritap {{ lib "{(folder / "libasound_module_pcm_mamoritap.so").resolve()}" }}',
        f'pcm."{card}" {{',
        "    type mamoritap",
        f'    infile "{recording.resolve()}"',
        f"    channels {channels}",
        f"    rate {RATE}",
        f"    loop {'yes' if loop else 'no'}",
        *([f"    epoch {epoch:.3f}"] if epoch is not None else []),
        f'    ctl "{(folder / "card.ctl").resolve()}"',
        f'    hint {{ show on description "{card}" }}',
        "}",
    ]
    file = folder / "alsa.conf"
    write_private(file, "\n".join(lines) + "\n")
    return file


def environment(*configurations: Path) -> dict[str, str]:
    """Return the environment in which the cards are there, beside ALSA's own definitions."""
    own = Path("/usr/share/alsa/alsa.conf")
    files = [*([own] if own.is_file() else []), *(file.resolve() for file in configurations)]
    return {"ALSA_CONFIG_PATH": ":".join(map(str, files))}


def _recordings() -> list[Path]:
    return sorted(file for file in calls_folder().glob("*.*") if file.suffix in {".flac", ".opus", ".wav"})
