"""What happens inside the guest: the process that watches the buttons, real keys, simulated pins, no broker, no agent.

Every finding is one line on the console that begins with ``@@``; the test on the host judges them. The host presses
keys when it reads ``@@ press``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from edge_agent.store import buttons, incidents
from edge_agent.store.database import Database, open_main

SIM = Path("/sys/devices/platform")
SHORT_MS = 350
"""A short press. To a guest whose processor is taken away for a moment, a shorter one begins and ends at once."""
DATA = Path("/tmp/data")  # noqa: S108 - the guest is thrown away
SETTINGS = """
[box]
site = "tokyo"
floor = "f1"
box = "box1"
[paths]
data = "/tmp/data"
run = "/run/mamori"
[[devices]]
name = "tap"
match = "tap"
channels = 4
[[seats]]
seat = "01"
label_ja = "1"
label_en = "1"
device = "tap"
customer_channel = 0
operator_channel = 1
[[seats]]
seat = "02"
label_ja = "2"
label_en = "2"
device = "tap"
customer_channel = 2
operator_channel = 3
[[buttons]]
name = "usb-02"
seat = "02"
kind = "usb"
device = "{device}"
"""
PINS = """
[presses]
lamp_chip = "mamori-desk"
lamp_line = 5
[[buttons]]
name = "pin-01"
seat = "01"
kind = "gpio"
chip = "mamori-desk"
line = 1
light_line = 2
"""


def say(what: str, **facts: object) -> None:
    """Tell the host."""
    print(f"@@ {what} {json.dumps(facts)}", flush=True)  # noqa: T201


def until(condition: Callable[[], object], *, within_s: float = 60.0) -> bool:
    """Wait for something; return whether it came."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def line_file(line: int, name: str) -> Path:
    """Return a file of one line of the simulated chip."""
    [found] = SIM.glob(f"gpio-sim.*/gpiochip*/sim_gpio{line}/{name}")
    return found


def pull(line: int, *, pressed: bool) -> None:
    """Close or open the contact between a line and ground."""
    line_file(line, "pull").write_text("pull-down" if pressed else "pull-up")


def press_pin(line: int, held_s: float) -> None:
    """Press as a person would, with contacts that bounce."""
    for pressed in (True, False, True):
        pull(line, pressed=pressed)
        time.sleep(0.002)
    time.sleep(held_s)
    pull(line, pressed=False)


def is_lit(line: int) -> bool:
    """Return whether the process drives a line."""
    return line_file(line, "value").read_text().strip() == "1"


def calls(db: Database, seat: str) -> list[tuple[str, str]]:
    """Return criterion and state of all calls of a seat, the newest first."""
    found = [i for i in incidents.recent(db, 50) if i.alert.seat == seat]
    return [(i.alert.criterion, i.state.value) for i in found]


def usb_device() -> str:
    """Return the name of QEMU's keyboard in /dev/input/by-id."""
    folder = Path("/dev/input/by-id")
    until(lambda: folder.is_dir() and list(folder.glob("*-event-kbd")))
    return min(folder.glob("*-event-kbd")).name


def pins(db: Database) -> None:
    """Press the button on a pin in every way there is."""
    lamp_before = is_lit(5)
    began = time.monotonic()
    press_pin(1, 0.15)
    released = time.monotonic()
    lit = until(lambda: is_lit(5), within_s=20)
    lamp_s = time.monotonic() - released
    kept = until(lambda: calls(db, "01"), within_s=20)
    say("pin-short", lamp_before=lamp_before, lit=lit, lamp_s=lamp_s, kept=kept, calls=calls(db, "01"))
    say("pin-light", flashes=until(lambda: is_lit(2), within_s=10), press_s=released - began)
    press_pin(1, 1.6)
    withdrawn = until(lambda: calls(db, "01")[0][1] == "withdrawn", within_s=20)
    dark = until(lambda: not is_lit(5), within_s=10)
    say("pin-long", withdrawn=withdrawn, dark=dark, calls=calls(db, "01"))
    pull(1, pressed=True)
    emergency = until(lambda: calls(db, "01")[0][0] == "button-emergency", within_s=20)
    pull(1, pressed=False)
    say("pin-held", emergency=emergency, calls=calls(db, "01"))


def keys(db: Database) -> None:
    """Have the host press the USB keyboard."""
    for name, held_ms in (("usb-short", SHORT_MS), ("usb-long", 1600), ("usb-held", 3600)):
        before = buttons.count_presses(db)
        say("press", held_ms=held_ms)
        kept = until(lambda before=before: buttons.count_presses(db) > before, within_s=30)
        say(name, kept=kept, calls=calls(db, "02"))
    # Unplugged and plugged in again.
    say("unplug")
    gone = until(lambda: (state := buttons.find(db, "usb-02")) and state.fault, within_s=40)
    say("plug", gone=bool(gone))
    back = until(lambda: (state := buttons.find(db, "usb-02")) and not state.fault, within_s=60)
    before = buttons.count_presses(db)
    say("press", held_ms=SHORT_MS)
    kept = until(lambda: buttons.count_presses(db) > before, within_s=30)
    say("usb-again", back=bool(back), kept=kept)


def main() -> None:
    """Run everything once."""
    device = usb_device()
    say("usb-found", device=device)
    file = Path("/tmp/mamori.toml")  # noqa: S108
    simulated = bool(list(SIM.glob("gpio-sim.*")))
    say("pins", simulated=simulated)
    file.write_text(SETTINGS.replace("{device}", device) + (PINS if simulated else ""), encoding="utf-8")
    if simulated:
        pull(1, pressed=False)
    # Should it end by a signal, its threads' whereabouts are on the console.
    command = [sys.executable, "-X", "faulthandler", "-m", "edge_agent.button_daemon", "--settings", str(file)]
    process = subprocess.Popen(command)
    say("started", up=until(Path("/run/mamori/buttons.ready").is_file, within_s=180))
    db = open_main(DATA)
    # All sources have told that they are there.
    there = until(lambda: len(buttons.everyone(db)) == 1 + simulated)
    say("watching", there=there, buttons=[[b.name, b.fault is None] for b in buttons.everyone(db)])
    if simulated:
        pins(db)
    keys(db)
    process.terminate()
    code = process.wait(30)
    if code:
        # Where in which library, as the kernel saw it.
        subprocess.run(["/bin/dmesg", "--level=info,err"], check=False)
    say("ended", code=code)


if __name__ == "__main__":
    main()
