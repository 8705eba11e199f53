"""An alert nobody answers goes up the ladder, also when the agent is killed in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.provision import demo
from edge_agent.services import duty, topics
from edge_agent.store import audit
from edge_agent.store.database import open_main
from tests.journeys.floor import RunningFloor, turns, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SHIPPED = Path(__file__).parents[2] / "firmware_config/policy/mamori.toml"
START_S = 8.0
SECOND_S, THIRD_S = 4, 20


def quick_policy(folder: Path) -> Path:
    """The shipped policy with a ladder of seconds."""
    text = SHIPPED.read_text(encoding="utf-8")
    for red, seconds in ((30, SECOND_S), (60, THIRD_S)):
        text, count = re.subn(
            rf"after_red_s = {red}\nafter_amber_s = \d+", f"after_red_s = {seconds}\nafter_amber_s = {seconds}", text
        )
        assert count == 1
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_ladder_goes_on_after_a_kill_in_the_middle_and_each_person_is_asked_once(tmp_path: Path) -> None:
    placed = [demo.Placed(start_s=START_S, seat=1, call="threat")]
    length_s = START_S + turns("threat")[-1]["end"] + 20
    floor = RunningFloor(tmp_path, placed, length_s=length_s, policy=quick_policy(tmp_path))
    db = open_main(floor.settings.data)
    for rank, (name, level) in enumerate((("sato", "L2"), ("suzuki", "L2"), ("mori", "L3"))):
        duty.put(db, name=name, display_name=name, level=level, rank=rank, shifts=(), by="test", now=datetime.now(UTC))
    floor.start()
    try:
        panel = floor.panel()
        until(lambda: panel.of(step=1), within_s=120, what="the first supervisor to be asked")
        os.kill(floor.child("agent").pid, signal.SIGKILL)
        until(lambda: panel.of(step=2), within_s=60, what="the next supervisor after the restart")
        until(lambda: panel.of(step=3), within_s=60, what="the manager")
        alert_id = panel.of(step=3)[0][1]["alert_id"]
        # A message the broker had not confirmed comes twice; the panel knows a repeat.
        asked = [(m["step"], m["asked"]) for _, m in panel.of(alert_id=alert_id) if "step" in m]
        assert asked == [(1, ["sato"]), (2, ["suzuki"]), (3, ["mori"])]
        panel.link.send(
            topic=topics.receipt(floor.settings.box, alert_id, "panel-1"), payload=json.dumps({"kind": "acknowledged"})
        )
        until(lambda: panel.of(alert_id=alert_id, incident_state="acknowledged"), what="the acknowledgement")
        steps = [e.detail["step"] for e in audit.of(db, alert_id) if e.action == "escalation.asked"]
        assert steps == ["1", "2", "3"]
        assert panel.problems == []
        panel.close()
    finally:
        floor.stop()
        db.close()
