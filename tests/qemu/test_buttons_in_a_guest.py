"""The process that watches the buttons on a real kernel: USB HID and GPIO, with broker, agent and models all absent.

`make test-qemu` makes the guest's disk (some three minutes, outside the repository) and runs this; the guest is
emulated (TCG), so that it runs on any machine, in about two minutes.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.qemu]

TOP = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MAMORI_QEMU", Path.home() / ".cache/mamori/qemu"))
"""Where rootfs.sh has put kernel, initrd and disk."""
PATIENCE_S = 420.0
"""How long the guest may say nothing; while it speaks, it may take as long as it takes."""
KERNEL = (
    "root=/dev/vda rw console=ttyS0 init=/sbin/mamori-init panic=-1 quiet "
    # On a busy host the emulated timer comes too late for this check, and the kernel would give up.
    "no_timer_check"
)
PROCESSORS = max(1, min(2, len(os.sched_getaffinity(0)) - 1))
"""Of the guest; as many as the host has would wait for one another there."""
QEMU = "qemu-system-x86_64"


class Guest:
    """QEMU with a USB keyboard; what the guest says begins with ``@@``. `errand` is what the guest does."""

    def __init__(self, folder: Path, *, errand: str = "buttons") -> None:
        self._control = folder / "qmp.sock"
        self.console: list[str] = []
        self.told: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._process = subprocess.Popen(
            [
                QEMU,
                *("-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-m", "1024"),
                *("-smp", str(PROCESSORS)),
                *("-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-nic", "none"),
                *("-kernel", str(FOLDER / "vmlinuz"), "-initrd", str(FOLDER / "initrd")),
                *("-append", f"{KERNEL} errand={errand}"),
                *("-drive", f"file={FOLDER / 'disk'},if=virtio,format=raw,snapshot=on,cache=unsafe"),
                *("-device", "qemu-xhci,id=xhci", "-device", "usb-kbd,id=keyboard,bus=xhci.0,serial=mamori"),
                *("-virtfs", f"local,path={TOP},mount_tag=repository,security_model=none,readonly=on,multidevs=remap"),
                *("-qmp", f"unix:{self._control},server=on,wait=off"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for row in self._process.stdout:
            self.console.append(row)
            if row.startswith("@@ "):
                what, _, facts = row[3:].strip().partition(" ")
                self.told.put((what, json.loads(facts)))
        self.told.put(("console closed", {}))

    def order(self, command: str, **arguments: Any) -> None:
        """Give QEMU one command and read its answer."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self._control))
            stream = link.makefile("rw")
            stream.readline()
            for message in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(message) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
                while "event" in answer:
                    answer = json.loads(stream.readline())
                assert "return" in answer, answer

    def hear(self) -> dict[str, dict[str, Any]]:
        """Return what the guest told up to its end, doing what it asks for on the way."""
        found: dict[str, dict[str, Any]] = {}
        while "ended" not in found:
            what, facts = self.told.get(timeout=PATIENCE_S)
            assert what != "console closed", "".join(self.console[-60:])
            match what:
                case "press":
                    keys = [{"type": "qcode", "data": "ret"}]
                    self.order("send-key", keys=keys, **{"hold-time": facts["held_ms"]})
                case "unplug":
                    self.order("device_del", id="keyboard")
                case "plug":
                    self.order("device_add", driver="usb-kbd", id="keyboard", bus="xhci.0", serial="mamori")
                    found[what] = facts
                case _:
                    found[what] = facts
        return found

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(20)
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Boot the guest once and return all it told."""
    if shutil.which(QEMU) is None:
        pytest.skip(f"{QEMU} is not installed; “make test-qemu” says what it needs")
    if not (FOLDER / "disk").is_file():
        pytest.skip(f"no guest in {FOLDER}; “make test-qemu” makes it")
    guest = Guest(tmp_path_factory.mktemp("guest"))
    try:
        yield guest.hear()
    except queue.Empty:
        pytest.fail("the guest says nothing any more:\n" + "".join(guest.console[-60:]))
    finally:
        guest.stop()
        # Shown by pytest where something failed: a process that ended by a signal has said there where it was.
        sys.stdout.write("".join(guest.console))


@pytest.fixture
def pins(told: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if not told["pins"]["simulated"]:
        pytest.skip("the guest's kernel has no gpio-sim (Debian 12 leaves it out) and rootfs.sh could not build it")
    return told


def test_the_buttons_are_watched_without_broker_or_agent(told: dict[str, dict[str, Any]]) -> None:
    assert told["started"]["up"]
    assert ["usb-02", True] in told["watching"]["buttons"]
    assert told["ended"]["code"] == 0


def test_a_press_lights_the_lamp_wired_to_the_box_and_is_kept(pins: dict[str, dict[str, Any]]) -> None:
    short = pins["pin-short"]
    assert (short["lamp_before"], short["lit"], short["kept"]) == (False, True, True)
    assert short["calls"] == [["button-help", "open"]]
    # An emulated processor is some twenty times slower than a box.
    assert short["lamp_s"] < 5.0
    assert pins["pin-light"]["flashes"]


def test_a_long_press_withdraws_and_the_lamp_goes_out(pins: dict[str, dict[str, Any]]) -> None:
    assert pins["pin-long"]["withdrawn"]
    assert pins["pin-long"]["dark"]


def test_a_held_button_is_an_emergency(pins: dict[str, dict[str, Any]]) -> None:
    assert pins["pin-held"]["emergency"]
    assert pins["pin-held"]["calls"] == [["button-emergency", "open"], ["button-help", "withdrawn"]]


def test_keys_of_a_usb_keyboard_mean_the_same(told: dict[str, dict[str, Any]]) -> None:
    assert told["usb-short"]["calls"] == [["button-help", "open"]]
    assert told["usb-long"]["calls"] == [["button-help", "withdrawn"]]
    assert told["usb-held"]["calls"] == [["button-emergency", "open"], ["button-help", "withdrawn"]]


def test_a_keyboard_that_is_unplugged_is_a_fault_and_comes_back(told: dict[str, dict[str, Any]]) -> None:
    assert told["plug"]["gone"]
    assert told["usb-again"] == {"back": True, "kept": True}
