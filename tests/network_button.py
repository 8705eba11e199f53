"""A button on the network, as the configurations in firmware_config make one."""

from __future__ import annotations

import json
import threading
import time

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.services import topics
from edge_agent.settings import Box
from tests.messages import wrong


class NetworkButton:
    """A button as firmware_config/esphome makes it: it numbers a press and repeats it until the box has kept it."""

    def __init__(self, link: MqttMessenger, name: str, box: Box) -> None:
        self.link = link
        self._topic = topics.button(box, name)
        self._number = 0
        self._pending: dict[str, object] | None = None
        self._stop = threading.Event()
        self._pressed = threading.Event()
        self.pressed_at = 0.0
        self.lights: list[str] = []
        self.problems: list[str] = []
        link.start()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def pending(self) -> bool:
        return self._pending is not None

    def press(self, what: str) -> str:
        """Press it; return the number the press has."""
        self._number += 1
        self.pressed_at = time.time()
        told = f"7-{self._number}"
        self._pending = {"press": what, "id": told, "age_s": 0}
        self._pressed.set()
        return told

    def _run(self) -> None:
        again_at = 0.0
        while not self._stop.is_set():
            if self._pressed.wait(0.01):
                self._pressed.clear()
                again_at = 0.0
            for arrived in self.link.arrived():
                self.problems += wrong(arrived.topic, arrived.payload)
                light = json.loads(arrived.payload)
                self.lights.append(light["state"])
                if self._pending and light["told"] == self._pending["id"]:
                    self._pending = None
            if self._pending and time.monotonic() >= again_at:
                again_at = time.monotonic() + 0.3
                self.link.send(topic=self._topic, payload=json.dumps(self._pending))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.link.stop()
