"""What happens inside the guest: two sound cards of a real kernel, one of which loses its driver and gets it back.

Every finding is one line on the console that begins with ``@@``; the test on the host judges them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_agent.adapters.card import Card
from edge_agent.errors import Text
from edge_agent.ports import AudioBlock
from edge_agent.settings import Seat
from edge_agent.settings_cards import Device

DRIVER = Path("/sys/bus/platform/drivers/snd_aloop")
CONFIG = Path("/tmp/asound.conf")  # noqa: S108 - the guest is thrown away
NAMES = ("mamoritapa", "mamoritapb")
"""The driver drops all but letters and digits from the ids it is given; udev, which names real cards, does not."""
RATE = 8000
TONE_HZ = 400


def say(what: str, **facts: object) -> None:
    """Tell the host."""
    print(f"@@ {what} {json.dumps(facts)}", flush=True)  # noqa: T201


def until(condition: Callable[[], object], *, within_s: float) -> float | None:
    """Wait for something; return after how many seconds it came, None if it did not."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            return None
        time.sleep(0.02)
    return round(time.monotonic() - began, 2)


def cards_there() -> list[str]:
    """Return the ids of the kernel's cards."""
    return [path.read_text().strip() for path in sorted(Path("/proc/asound").glob("card*/id"))]


def play_tone() -> subprocess.Popen[bytes]:
    """Play a tone into the one end of the first card for ever; what is captured at the other end is it."""
    wave = (8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(RATE) / RATE)).astype(np.int16)
    player = subprocess.Popen(
        ["aplay", "-q", "-D", f"hw:{NAMES[0]},0", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "2"],
        stdin=subprocess.PIPE,
    )
    frames = np.column_stack((wave, wave)).tobytes()

    def pour() -> None:
        try:
            while player.stdin:
                player.stdin.write(frames)
        except OSError:
            return

    threading.Thread(target=pour, daemon=True).start()
    return player


def watch() -> None:
    """Read both cards as the agent does and let things happen to the second."""
    blocks: dict[str, list[AudioBlock]] = {"01": [], "02": []}
    faults: dict[str, list[Text | None]] = {"01": [], "02": []}
    cards = []
    for seat, name in zip(blocks, NAMES, strict=True):
        place = Seat(seat=seat, label_ja=seat, label_en=seat, device=name)
        cards.append(
            Card(
                Device(name=place.device, match=place.device),
                [place],
                deliver={seat: blocks[seat].append},
                on_fault=lambda seat, fault: faults[seat].append(fault),
            )
        )
    stop = threading.Event()
    for card in cards:
        threading.Thread(target=card.run, args=(stop,), daemon=True).start()
    first, second = cards
    up = until(lambda: first.report.running and second.report.running, within_s=120)
    if up is None:
        say("running", up=None, faults=[fault.en for told in faults.values() for fault in told if fault])
        return
    until(lambda: len(blocks["01"]) > 30, within_s=30)
    heard = np.concatenate([block.customer for block in blocks["01"][-20:]])
    strongest = int(np.abs(np.fft.rfft(heard.astype(float))).argmax() * 16_000 / len(heard))
    say("running", up=up, faults=[fault.en for told in faults.values() for fault in told if fault], hz=strongest)

    for told in faults.values():
        told.clear()
    before = first.report
    overruns = second.report.overruns
    [busy] = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if is_reader(path, NAMES[1])]
    os.kill(busy, signal.SIGSTOP)
    time.sleep(1.2)
    os.kill(busy, signal.SIGCONT)
    seen = until(lambda: second.report.overruns > overruns, within_s=20)
    say("overrun", seen=seen, overruns=second.report.overruns, dropped=second.report.dropped, faults=len(faults["02"]))

    until(lambda: second.report.running, within_s=30)
    count = len(blocks["01"])
    unbinding = threading.Thread(target=(DRIVER / "unbind").write_text, args=["snd_aloop.1"])
    unbinding.start()
    shown = until(lambda: not second.report.running, within_s=60)
    unbinding.join(30)
    gone = cards_there()
    meanwhile = until(lambda: len(blocks["01"]) > count + 50, within_s=30)
    fault = next((fault.en for fault in faults["02"] if fault), "")
    say("unbound", shown_s=shown, cards=gone, fault=fault, meanwhile=meanwhile)
    (DRIVER / "bind").write_text("snd_aloop.1")
    back = until(lambda: second.report.running, within_s=60)
    count = len(blocks["02"])
    heard_again = until(lambda: len(blocks["02"]) > count + 10, within_s=20)
    say("bound", back_s=back, cards=cards_there(), heard=heard_again, losses=second.report.losses)
    after = first.report
    say("unharmed", faults=len(faults["01"]), losses=after.losses, dropped=after.dropped - before.dropped)
    stop.set()


def is_reader(cmdline: Path, match: str) -> bool:
    """Return whether a process reads the card of that name."""
    try:
        words = cmdline.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"edge_agent.adapters.card_process" in words and f"--match={match}".encode() in words


def main() -> None:
    """Run everything once."""
    ids = ",".join(NAMES)
    loaded = subprocess.run(
        ["modprobe", "snd-aloop", "enable=1,1", f"id={ids}", "pcm_substreams=1"], capture_output=True, check=False
    )
    if until(lambda: len(cards_there()) == len(NAMES), within_s=20) is None:
        say("missing", what=f"snd-aloop: {loaded.stderr.decode()}")
        say("ended")
        return
    lines = [f"pcm.{name} {{ type hw card {name} device 1 }}" for name in NAMES]
    CONFIG.write_text("\n".join(["</usr/share/alsa/alsa.conf>", *lines, ""]), encoding="utf-8")
    os.environ["ALSA_CONFIG_PATH"] = str(CONFIG)
    say("cards", ids=cards_there())
    player = play_tone()
    watch()
    player.kill()
    say("ended")


if __name__ == "__main__":
    main()
