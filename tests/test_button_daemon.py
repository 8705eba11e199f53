"""The process that watches the buttons depends on nothing that may be dead."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.domain.button import Effect, Press
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.services import buttons as services
from edge_agent.store import buttons, duty, incidents
from edge_agent.store.database import open_main
from tests.builders import BOX

SETTINGS = """
[box]
site = "tokyo"
floor = "f1"
box = "box1"
[paths]
data = "{data}"
run = "{run}"
policy = "{policy}"
[[devices]]
name = "tap"
match = "tap"
channels = 2
[[seats]]
seat = "01"
label_ja = "1"
label_en = "1"
device = "tap"
customer_channel = 0
operator_channel = 1
[[buttons]]
name = "desk-01"
seat = "01"
kind = "virtual"
[[buttons]]
name = "pin-01"
seat = "01"
kind = "gpio"
chip = "no-such-chip"
line = 1
[[buttons]]
name = "usb-01"
seat = "01"
kind = "usb"
device = "usb-nothing-event-kbd"
"""


def test_no_model_sound_or_page_is_loaded() -> None:
    # numpy is not among them: sqlite-utils takes it if it is there.
    heavy = ("vosk", "onnxruntime", "pyaudio", "soundfile", "sentencepiece", "flask", "evdev", "gpiod")
    code = f"import sys, edge_agent.button_daemon; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Settings of a box without broker, credentials, policy, pins or USB buttons."""
    file = tmp_path / "mamori.toml"
    policy = tmp_path / "policy.toml"
    policy.write_text("this is no policy", encoding="utf-8")
    values = {"data": tmp_path / "data", "run": tmp_path / "run", "policy": policy}
    text = SETTINGS
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", str(value))
    file.write_text(text, encoding="utf-8")
    return file


def test_it_works_without_broker_credentials_policy_or_devices(settings_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_agent.button_daemon", "--settings", str(settings_file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    db = open_main(tmp_path / "data")
    try:
        deadline = time.monotonic() + 30
        while {b.name for b in buttons.everyone(db) if b.fault} != {"pin-01", "usb-01"}:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        now = datetime.now(UTC)
        pressed = Press(
            press_id="press-1",
            button="desk-01",
            seat="01",
            gesture=Gesture.HELP,
            source=PressSource.VIRTUAL,
            at=now,
        )
        assert services.press(db, pressed, box=BOX, call_id="", now=now) is Effect.OPENED
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "broker.unusable" in said
    assert "policy.unusable" in said
    assert [call.incident_id for call in incidents.calls_for_help(db)] == ["press-1"]
    assert duty.steps(db, "press-1") == []
    db.close()


def test_wrong_settings_end_it_with_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "mamori.toml"
    file.write_text("[[buttons]]\nname = 'x'\nseat = '99'\nkind = 'gpio'\n", encoding="utf-8")
    command = [sys.executable, "-m", "edge_agent.button_daemon", "--settings", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "buttons[x].seat" in done.stderr
