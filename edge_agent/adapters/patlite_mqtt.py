"""PATLITE NH-FV over MQTT: it subscribes to its topic and takes ``{"alert": "RYGBCZ"}``; 2 and 3 are two ways to flash.

The message is retained, so that a tower that was switched off gets it as soon as it is back. The tower says nothing of
itself on MQTT: with its address known, its port is knocked at.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

from edge_agent.domain.lamp import LampState
from edge_agent.services.lamps import tower_alert, unreachable

TIMEOUT_S = 2.0
FAST = "3"

Publish = Callable[[str, str], bool]
"""Publishes a retained message on a topic; False while there is no broker."""


class PatliteMqtt:
    """One tower on the floor's broker."""

    def __init__(self, *, topic: str, publish: Publish, address: tuple[str, int] | None = None) -> None:
        self._topic = topic
        self._publish = publish
        self._address = address

    def show(self, state: LampState) -> None:
        """Show a state; raise `LampError` without a broker, or if nobody answers at the tower's address."""
        if not self._publish(self._topic, json.dumps({"alert": tower_alert(state, fast=FAST)})):
            raise unreachable(self._topic, "MQTT")
        if self._address is None:
            return
        try:
            socket.create_connection(self._address, timeout=TIMEOUT_S).close()
        except OSError as error:
            raise unreachable(f"{self._address[0]}:{self._address[1]}", type(error).__name__) from error
