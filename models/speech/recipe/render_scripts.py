"""Render evaluation scripts: stereo telephone recordings of the calls in `models/harassment/calls`.

    python render_scripts.py --minutes 20
    python render_scripts.py --again FOLDER     # the calls recorded already, from their scripts, into a folder

Customers speak with the style no training voice has (Kokoro `jf_tebukuro`, at least 0.7 of it) or, men and the
elderly, with Open JTalk's voice kept for tests, shifted; operators with Open JTalk's. Every call has its own voices,
drawn by its id. A recording that is there is not made again; the calls are taken turn about from every kind, so a
run that is stopped has some of each.

Both sides of a call are Opus streams of their own: coupled as stereo at such a rate, each would be heard on the other
at about -15 dB. `--leaks FOLDER` prints what is heard of each side on the other's channel.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
import tomllib
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
from render_calls import RATE, Script, Turn, render, seed_of
from synthesis import held_out_style
from voices import Voice, speak

if TYPE_CHECKING:
    import numpy.typing as npt

CALLS = Path(__file__).resolve().parents[2] / "harassment" / "calls"
KIND_SHARE = {"harassing": 16, "complaint": 13, "ordinary": 5, "life_safety": 3, "relay": 2, "quotes": 2}
"""Recordings of each kind, as the scripts themselves are shared out."""
ANGRY = frozenset({"harassing", "complaint"})
BIT_RATE = "24k"
"""Of both sides together; narrow-band like a mobile telephone line."""
UNCOUPLED = "255"
"""Opus channel mapping family without a meaning of channels, so that no two are coupled (RFC 7845, section 5.1.1.3)."""
EDGE_S = 0.1
"""Left out at both ends of a turn when measuring a leak: a codec smears what is beside it."""


def voice_of(call: dict[str, Any]) -> dict[str, str]:
    """Return the cast of a call."""
    rng = np.random.default_rng(seed_of(str(call["id"]), -9))
    if rng.random() < 0.3:
        halftone, formant = round(float(rng.uniform(-6, -2)), 1), round(float(rng.uniform(0.86, 1.0)), 2)
        speed = round(float(rng.uniform(0.95, 1.25)), 2)
        customer = Voice(engine="openjtalk", speed=speed, halftone=halftone, formant=formant)
    else:
        pitch, speed = round(float(rng.uniform(0.86, 1.05)), 2), round(float(rng.uniform(0.95, 1.25)), 2)
        customer = Voice(engine="kokoro", weights=held_out_style(rng), speed=speed, pitch=pitch)
    operator = Voice(engine="openjtalk", speed=round(float(rng.uniform(1.0, 1.2)), 2))
    return {"customer": str(customer), "operator": str(operator)}


def script_of(call: dict[str, Any]) -> Script:
    """Return a call as the renderer of demonstration calls takes it."""
    rng = np.random.default_rng(seed_of(str(call["id"]), -8))
    turns = []
    for number, line in enumerate(call["turns"]):
        customer = line.startswith("c ")
        loud = customer and call["kind"] in ANGRY and number > 1 and rng.random() < 0.4
        turns.append(
            Turn(
                speaker="customer" if customer else "operator", text=line[2:],
                pause_before_s=round(float(rng.uniform(0.7, 1.2)), 2), telling=number == call.get("first"), loud=loud,
            )
        )  # fmt: skip
    return Script(id=call["id"], title_ja="", title_en="", kind="order", expect={}, turns=tuple(turns))


def all_calls(folder: Path) -> list[dict[str, Any]]:
    """Return the scripted calls of a folder."""
    return [
        call
        for path in sorted(folder.glob("*.toml"))
        for call in tomllib.loads(path.read_text(encoding="utf-8"))["call"]
    ]


def chosen_calls(folder: Path) -> list[dict[str, Any]]:
    """Return the calls to record, the kinds turn about."""
    calls = all_calls(folder)
    kinds = []
    for kind, count in KIND_SHARE.items():
        of_kind = sorted((call for call in calls if call["kind"] == kind), key=lambda call: seed_of(call["id"], 0))
        kinds.append(of_kind[:count])
    return [call for row in zip_longest(*kinds) for call in row if call is not None]


def recorded_calls(folder: Path) -> list[dict[str, Any]]:
    """Return the calls whose recordings are there."""
    return [call for call in all_calls(folder) if (folder / "audio" / f"{call['id']}.json").exists()]


def record(call: dict[str, Any], out: Path) -> Path:
    """Record a call into a folder, with the table of its turns beside it; return the path of the recording."""
    script, cast = script_of(call), voice_of(call)
    samples, turns = render(script, speak, cast)
    path = out / f"{script.id}.opus"
    write_opus(path, samples)
    places = [{key: turn[key] for key in ("start", "end", "speaker")} for turn in turns]
    times = {"id": script.id, "seconds": len(samples) / RATE, "voices": cast, "turns": places}
    path.with_suffix(".json").write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")
    print(f"{script.id}: {len(samples) / RATE:.1f} s, {path.stat().st_size} bytes", flush=True)
    return path


def write_opus(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """Write (samples, 2) as one Opus file of two uncoupled streams, which libsndfile reads and cannot write."""
    source = ["-f", "s16le", "-ar", str(RATE), "-ac", str(samples.shape[1]), "-i", "-"]
    codec = ["-c:a", "libopus", "-mapping_family", UNCOUPLED, "-b:a", BIT_RATE]
    exact = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"]
    command = ["ffmpeg", "-v", "error", "-y", *source, *codec, *exact, str(path)]
    subprocess.run(command, input=samples.astype("<i2").tobytes(), check=True)


def leak_db(path: Path, speaker: str) -> float:
    """Return how loud a side that speaks alone is heard on the other's channel of a recording, in dB of itself."""
    samples, rate = soundfile.read(path)
    own = 0 if speaker == "customer" else 1
    power = np.zeros(2)
    for turn in json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["turns"]:
        if turn["speaker"] == speaker:
            start, end = round((turn["start"] + EDGE_S) * rate), round((turn["end"] - EDGE_S) * rate)
            power += np.square(samples[start:end]).sum(axis=0)
    return float(10 * np.log10(power[1 - own] / power[own]))


def print_leaks(folder: Path) -> None:
    """Print each recording's leaks, and the median of all."""
    leaks = []
    for path in sorted(folder.glob("*.opus")):
        leaks.append([leak_db(path, speaker) for speaker in ("operator", "customer")])
        print(f"{path.stem}: operator {leaks[-1][0]:.1f} dB, customer {leaks[-1][1]:.1f} dB")
    operator, customer = np.median(leaks, axis=0)
    print(f"{len(leaks)} recordings, median: operator {operator:.1f} dB, customer {customer:.1f} dB")


def main() -> None:
    """Record calls until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, default=CALLS)
    parser.add_argument("--again", type=Path, metavar="FOLDER", help="record the calls recorded already, into a folder")
    parser.add_argument("--leaks", type=Path, metavar="FOLDER", help="record nothing; measure a folder's recordings")
    parser.add_argument("--minutes", type=float, default=600.0)
    chosen = parser.parse_args()
    if chosen.leaks:
        print_leaks(chosen.leaks)
        return
    out = chosen.again or chosen.calls / "audio"
    out.mkdir(exist_ok=True)
    started = time.monotonic()
    for call in recorded_calls(chosen.calls) if chosen.again else chosen_calls(chosen.calls):
        if (out / f"{call['id']}.json").exists():
            continue
        if time.monotonic() - started > chosen.minutes * 60:
            break
        record(call, out)


if __name__ == "__main__":
    main()
