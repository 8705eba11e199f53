"""The agent's part that deals with devices on the broker: who is there, who was refused, what Home Assistant shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata

from edge_agent.errors import Text
from edge_agent.pipeline.asks import AskDesk
from edge_agent.pipeline.box_commands import BoxCommands
from edge_agent.pipeline.broker_watch import BrokerWatch
from edge_agent.pipeline.devices import DeviceWatch
from edge_agent.pipeline.discovery import Discovery
from edge_agent.pipeline.sender import Sender
from edge_agent.ports import Arrived, Clock, Messenger
from edge_agent.services import home_assistant, topics
from edge_agent.settings import Settings
from edge_agent.store.database import open_live, open_main


def device_subscriptions(settings: Settings) -> list[str]:
    """Return what the agent listens to of devices."""
    box = settings.box
    return [
        topics.alive(box, "+"),
        topics.result(box, "+", "+"),
        topics.box_command(box, "+", "+"),
        home_assistant.discovery_filter(box),
        home_assistant.ASSISTANT_STATUS,
    ]


def device_watch(settings: Settings, clock: Clock) -> DeviceWatch:
    """Return the thread that knows who is there."""
    return DeviceWatch(box=settings.box, clock=clock, open_database=lambda: open_main(settings.data))


def broker_watch(settings: Settings, clock: Clock) -> BrokerWatch:
    """Return the thread that puts on record what the broker has refused."""
    return BrokerWatch(
        settings.broker_refusals_file, box=settings.box, clock=clock, open_database=lambda: open_main(settings.data)
    )


def box_commands(settings: Settings, clock: Clock) -> BoxCommands:
    """Return the thread that obeys what consoles tell the box."""
    return BoxCommands(settings=settings, clock=clock, open_database=lambda: open_main(settings.data))


def discovery(settings: Settings, sender: Sender) -> Discovery:
    """Return the thread that tells Home Assistant of the lines in the settings."""
    lines = [(seat.seat, Text(seat.label_ja, seat.label_en)) for seat in settings.seats]
    entities = home_assistant.entities(settings.box, lines, version=metadata.version("mamori"))
    return Discovery(entities, show_state=sender.show_state, open_database=lambda: open_main(settings.data))


def ask_desk(settings: Settings, clock: Clock, sender: Sender, messenger: Messenger) -> AskDesk:
    """Return the thread that answers integrations."""
    return AskDesk(
        settings=settings,
        clock=clock,
        open_main=lambda: open_main(settings.data),
        open_live=lambda: open_live(settings.run),
        answer=sender.send_unstored,
        forget=lambda topic: messenger.send(topic=topic, payload="", retain=True),
    )


def each(takers: Sequence[Callable[[Arrived], None]]) -> Callable[[Arrived], None]:
    """Return what gives a message to all of them, those added later too."""

    def give(arrived: Arrived) -> None:
        for take in takers:
            take(arrived)

    return give
