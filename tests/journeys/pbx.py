"""A telephone system beside a running floor: it announces calls and asks for pauses, as docs/integration.md tells."""

from __future__ import annotations

import json
import ssl
import time
import urllib.request
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.provision import broker
from edge_agent.services import integrations, topics
from edge_agent.store.database import open_main
from tests.journeys.floor import RunningFloor, until
from tests.messages import wrong

NAME = "pbx"
ANSWER_S = 5.0
"""An answer takes a tenth of a second on a machine that does nothing else."""


class Pbx:
    """An integration of a floor that runs."""

    def __init__(self, floor: RunningFloor) -> None:
        self.floor = floor
        with closing(open_main(floor.settings.data)) as db:
            self.token = integrations.admit(db, name=NAME, by="it", now=datetime.now(UTC))
        broker.add_device(floor.settings, NAME, "integration")
        broker.reload(floor.settings)
        self.box = floor.settings.box
        self.trusted = ssl.create_default_context(cafile=str(floor.settings.data / "pki/ca.crt"))

    def http(self, path: str, **told: str) -> dict[str, Any]:
        """POST what is told, or GET if nothing is; return the answer."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.floor.address}/api/v1/seats/{path}",
            data=json.dumps(told).encode() if told else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10, context=self.trusted) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def mqtt(self, seat: str, **told: str) -> dict[str, Any]:
        """Ask on the broker; return the answer. What nobody answers is asked again, with an id of its own."""
        link = self.floor.link(NAME, topics.answer(self.box, NAME, "+"))
        link.start()
        try:
            until(link.connected, what="the telephone system to be let in")
            return dict(until(lambda: self._ask(link, seat, told), what="an answer to what was asked"))
        finally:
            link.stop()

    def _ask(self, link: MqttMessenger, seat: str, told: dict[str, str]) -> dict[str, Any] | None:
        now = datetime.now(UTC)
        ask = {"schema": 1, "id": uuid.uuid4().hex} | told
        ask |= {"issued_at": now.isoformat(), "expires_at": (now + timedelta(seconds=60)).isoformat()}
        link.send(topic=topics.ask(self.box, NAME, seat), payload=json.dumps(ask))
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            for arrived in link.arrived():
                assert wrong(arrived.topic, arrived.payload, schema=arrived.schema, trace=arrived.trace) == []
                if arrived.topic == topics.answer(self.box, NAME, str(ask["id"])):
                    answer: dict[str, Any] = json.loads(arrived.payload)
                    return answer
            time.sleep(0.02)
        return None
