"""A signal tower follows the floor through a whole call, a kill of the agent and a power cut of its own."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from edge_agent.provision import demo
from edge_agent.services import topics
from tests.journeys.floor import RunningFloor, turns, until
from tests.towers import HttpTower

pytestmark = [
    pytest.mark.journey,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

START_S = 10.0
GREEN, RED_STEADY, DARK = "001000", "100000", "000000"
RED = {"200000"}


def test_a_tower_shows_a_threat_and_is_told_again_after_kill_and_power_cut(tmp_path: Path) -> None:
    tower = HttpTower()
    lamp = f"\n[[lamps]]\nname = 'tower-1'\nkind = 'patlite-http'\naddress = '127.0.0.1:{tower.port}'\n"
    placed = [demo.Placed(start_s=START_S, seat=1, call="threat")]
    floor = RunningFloor(tmp_path, placed, length_s=START_S + turns("threat")[-1]["end"] + 30, extra=lamp)
    floor.start()
    try:
        panel = floor.panel()
        until(lambda: tower.shows == GREEN, what="green")
        _, alert = until(lambda: panel.of(change="new", kind="harassment"), within_s=120, what="the alert")[0]
        until(lambda: tower.shows in RED, within_s=10, what="red")
        os.kill(floor.child("agent").pid, signal.SIGKILL)
        tower.reboot()
        assert tower.shows == DARK
        until(lambda: tower.shows in RED, within_s=60, what="red again after both were away")
        tower.reboot()
        until(lambda: tower.shows in RED, within_s=30, what="red again after a power cut of the tower alone")
        # Killed in the middle of the call, the agent hears the rest of it as another: there may be two alerts.
        answered: set[str] = set()

        def answer_all() -> bool:
            known = {m["alert_id"] for _, m in list(panel.messages) if m.get("incident_state") == "open"}
            for alert_id in known - answered:
                topic = topics.receipt(floor.settings.box, alert_id, "panel-1")
                panel.link.send(topic=topic, payload=json.dumps({"kind": "acknowledged"}))
                answered.add(alert_id)
            return tower.shows in {RED_STEADY, GREEN}

        until(answer_all, within_s=60, what="steady")
        assert alert["alert_id"] in answered
        assert all(digits.endswith("0") for digits in tower.told), "a tower never sounds"
        assert panel.problems == []
        panel.close()
        floor.stop()
        assert tower.shows == DARK, "nobody watches any more"
    finally:
        floor.stop()
        tower.stop()
