"""A desk lamp of our own ESPHome configuration (firmware_config/esphome/): colour and pattern as words of JSON.

The message is retained. The lamp says on its status topic whether it is there, by birth and last will.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from edge_agent.domain.lamp import LampState
from edge_agent.ports import Clock
from edge_agent.services.lamps import lamp_message, unreachable


class EsphomeLamp:
    """One desk lamp on the floor's broker.

    Args:
        publish: publishes a retained message on a topic; False while there is no broker.
        is_there: whether the lamp has said that it is online.
    """

    def __init__(
        self, *, topic: str, publish: Callable[[str, str], bool], is_there: Callable[[], bool], clock: Clock
    ) -> None:
        self._topic = topic
        self._publish = publish
        self._is_there = is_there
        self._clock = clock

    def show(self, state: LampState) -> None:
        """Show a state; raise `LampError` without a broker, or while the lamp is not connected to it."""
        if not self._publish(self._topic, json.dumps(lamp_message(state, now=self._clock.now()))):
            raise unreachable(self._topic, "MQTT")
        if not self._is_there():
            raise unreachable(self._topic, "offline")
