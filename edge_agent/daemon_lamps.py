"""A part of the agent's composition: which adapter speaks to which lamp of the settings."""

from __future__ import annotations

from edge_agent.adapters.esphome_lamp import EsphomeLamp
from edge_agent.adapters.patlite_http import PatliteHttp
from edge_agent.adapters.patlite_mqtt import PatliteMqtt
from edge_agent.pipeline.lamps import LampPresence, LampWorker
from edge_agent.ports import Clock, LampDevice, Messenger
from edge_agent.services import topics
from edge_agent.settings import Settings
from edge_agent.settings_lamps import Lamp


def lamp_workers(
    settings: Settings, messenger: Messenger, presence: LampPresence, clock: Clock
) -> dict[str, LampWorker]:
    """Return a worker for every lamp of the settings, by name."""

    def publish(topic: str, payload: str) -> bool:
        return messenger.send(topic=topic, payload=payload, retain=True) is not None

    def device(lamp: Lamp) -> LampDevice:
        topic = topics.lamp_state(settings.box, lamp.name)
        match lamp.kind:
            case "patlite-http":
                return PatliteHttp(host=lamp.host, port=lamp.port)
            case "patlite-mqtt":
                address = (lamp.host, lamp.port) if lamp.host else None
                return PatliteMqtt(topic=topic, publish=publish, address=address)
            case "esphome":
                return EsphomeLamp(
                    topic=topic, publish=publish, is_there=lambda: presence.is_there(lamp.name), clock=clock
                )

    return {lamp.name: LampWorker(lamp.name, device(lamp)) for lamp in settings.lamps}
