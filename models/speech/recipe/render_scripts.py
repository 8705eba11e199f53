"""Render evaluation scripts: stereo telephone recordings of the calls in `models/harassment/calls`.

    python render_scripts.py --minutes 20

Customers speak with the style no training voice has (Kokoro `jf_tebukuro`, at least 0.7 of it) or, men and the
elderly, with Open JTalk's voice kept for tests, shifted; operators with Open JTalk's. Every call has its own voices,
drawn by its id. A recording that is there is not made again; the calls are taken turn about from every kind, so a
run that is stopped has some of each.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from render_calls import RATE, Script, Turn, render, seed_of
from synthesis import held_out_style
from voices import Voice, speak

CALLS = Path(__file__).resolve().parents[2] / "harassment" / "calls"
KIND_SHARE = {"harassing": 16, "complaint": 13, "ordinary": 5, "life_safety": 3, "relay": 2, "quotes": 2}
"""Recordings of each kind, as the scripts themselves are shared out."""
ANGRY = frozenset({"harassing", "complaint"})
COMPRESSION = 0.985
"""libsndfile's thrift of Opus; about 10 kbit/s a channel, narrow-band like a mobile telephone line."""


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


def chosen_calls(folder: Path) -> list[dict[str, Any]]:
    """Return the calls to record, the kinds turn about."""
    calls = [
        call
        for path in sorted(folder.glob("*.toml"))
        for call in tomllib.loads(path.read_text(encoding="utf-8"))["call"]
    ]
    kinds = []
    for kind, count in KIND_SHARE.items():
        of_kind = sorted((call for call in calls if call["kind"] == kind), key=lambda call: seed_of(call["id"], 0))
        kinds.append(of_kind[:count])
    return [call for row in zip_longest(*kinds) for call in row if call is not None]


def main() -> None:
    """Record calls until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, default=CALLS)
    parser.add_argument("--minutes", type=float, default=600.0)
    chosen = parser.parse_args()
    out = chosen.calls / "audio"
    out.mkdir(exist_ok=True)
    started = time.monotonic()
    for call in chosen_calls(chosen.calls):
        path = out / f"{call['id']}.opus"
        if path.exists():
            continue
        if time.monotonic() - started > chosen.minutes * 60:
            break
        script, cast = script_of(call), voice_of(call)
        samples, turns = render(script, speak, cast)
        soundfile.write(path, samples, RATE, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
        places = [{key: turn[key] for key in ("start", "end", "speaker")} for turn in turns]
        times = {"id": script.id, "seconds": len(samples) / RATE, "voices": cast, "turns": places}
        path.with_suffix(".json").write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")
        print(f"{script.id}: {len(samples) / RATE:.1f} s, {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
