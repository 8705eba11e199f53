"""What breaks while people are in trouble: the broker, the agent, a card, a model, a setting."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.provision import demo
from edge_agent.store import incidents
from edge_agent.store.database import open_main
from tests.journeys.floor import RunningFloor, turns, until

pytestmark = [
    pytest.mark.journey,
    # paho leaves its socket open when the broker dies in the middle of a handshake.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

START_S = 8.0


def one_call(folder: Path, call: str, **more: str) -> RunningFloor:
    placed = [demo.Placed(start_s=START_S, seat=1, call=call)]
    return RunningFloor(folder, placed, length_s=START_S + turns(call)[-1]["end"] + 20, **more)


def kept(floor: RunningFloor) -> list[str]:
    db = open_main(floor.settings.data)
    try:
        return [incident.incident_id for incident in incidents.recent(db, 10)]
    finally:
        db.close()


def test_an_alert_raised_while_the_broker_is_down_arrives_once_when_it_is_back(tmp_path: Path) -> None:
    floor = one_call(tmp_path, "sexual")
    floor.start()
    try:
        panel = floor.panel()
        # Stopped, not killed: the supervisor would start a dead broker again at once.
        broker = floor.child("mosquitto")
        broker.suspend()
        until(lambda: kept(floor), within_s=120, what="the incident")
        assert not panel.of(change="new")
        broker.kill()
        until(lambda: panel.of(change="new"), within_s=60, what="the alert after the broker is back")
        until(lambda: panel.of(change="end"), within_s=120, what="the call to end")
        new = panel.of(change="new")
        assert len(new) == 1
        panel.close()
    finally:
        floor.stop()


def test_an_incident_committed_before_the_agent_is_killed_goes_out_after_its_restart(tmp_path: Path) -> None:
    floor = one_call(tmp_path, "threat")
    floor.start()
    try:
        panel = floor.panel()
        broker = floor.child("mosquitto")
        broker.suspend()
        found = until(lambda: kept(floor), within_s=120, what="the incident")
        os.kill(floor.child("agent").pid, signal.SIGKILL)
        broker.resume()
        until(lambda: panel.of(alert_id=found[0], change="new"), within_s=60, what="the alert after the restart")
        assert len(panel.of(alert_id=found[0], change="new")) == 1
        panel.close()
    finally:
        floor.stop()


def test_a_card_that_does_not_exist_is_a_fault_of_its_lines_alone(tmp_path: Path) -> None:
    extra = (
        "\n[[devices]]\nname = 'missing'\nmatch = 'no such card'\nchannels = 2\n"
        "\n[[seats]]\nseat = '09'\nlabel_ja = '9番席'\nlabel_en = 'Seat 9'\ndevice = 'missing'\n"
        "customer_channel = 0\noperator_channel = 1\n"
    )
    floor = one_call(tmp_path, "threat", extra=extra)
    floor.start()
    try:
        panel = floor.panel()
        until(lambda: panel.of(seat="09", state="fault"), what="the fault")
        until(lambda: panel.of(seat="01", state="in_call"), what="the other line's call")
        panel.close()
    finally:
        floor.stop()


def mamori(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", *arguments],
        env={**os.environ, "MAMORI_LANG": "en", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    floor = one_call(tmp_path, "order-calm")
    with socket.socket() as other:
        other.bind(("127.0.0.1", floor.web_port))
        other.listen()
        done = mamori("run", "--data", str(floor.data), "--settings", str(floor.settings_file))
    floor.stop()
    assert done.returncode == 1
    assert str(floor.web_port) in done.stderr
    assert "web.port" in done.stderr


def test_a_typo_in_the_settings_stops_the_start_with_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mamori.toml"
    file.write_text("[web]\nprot = 1\n")
    done = mamori("agent", "--settings", str(file))
    assert done.returncode == 1
    assert "prot" in done.stderr
    assert "$.web" in done.stderr
    assert "Remedy" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_altered_model_stops_the_start_and_is_named(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    models = tmp_path / "models"
    for file in (root / "models").rglob("ja-starter/**/*"):
        if file.is_file():
            there = models / file.relative_to(root / "models")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(file)
    (models / "manifest.toml").symlink_to(root / "models/manifest.toml")
    altered = models / "harassment/ja-starter/model.onnx"
    content = bytearray(altered.read_bytes())
    content[len(content) // 2] ^= 0xFF
    altered.unlink()
    altered.write_bytes(content)
    settings = tmp_path / "mamori.toml"
    settings.write_text(f"[paths]\ndata = '{tmp_path / 'var'}'\nrun = '{tmp_path / 'run'}'\nmodels = '{models}'\n")
    done = mamori("agent", "--settings", str(settings))
    assert done.returncode == 1
    assert "model.onnx" in done.stderr
    altered.unlink()
    done = mamori("agent", "--settings", str(settings))
    assert done.returncode == 1
    assert "model.onnx" in done.stderr


def test_a_policy_with_an_unknown_type_is_refused(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    text = (root / "firmware_config/policy/mamori.toml").read_text(encoding="utf-8")
    wrong = tmp_path / "policy.toml"
    wrong.write_text(text.replace('label = "abuse"', 'label = "rudeness"', 1), encoding="utf-8")
    done = mamori("policy", "check", str(wrong))
    assert done.returncode == 1
    assert "rudeness" in done.stderr
    assert str(wrong) in done.stderr


def test_a_file_that_is_no_audio_gets_a_plain_answer(tmp_path: Path) -> None:
    text = tmp_path / "call.wav"
    text.write_text("this is no audio")
    done = mamori("listen", str(text))
    assert done.returncode == 1
    assert "call.wav" in done.stderr
    assert "Traceback" not in done.stderr
