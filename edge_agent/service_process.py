"""What the processes that systemd starts have in common: the link to the broker, and waiting for the signal to stop."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.adapters.service_manager import notify
from edge_agent.ports import Clock
from edge_agent.settings import Settings

PULSE_S = 1.0
"""How often the service manager is told that the process lives."""


def broker_link(
    settings: Settings,
    *,
    user: str,
    password_file: Path,
    status: str,
    subscriptions: Sequence[str],
    clock: Clock,
    momentary: Sequence[str] = (),
) -> MqttMessenger:
    """Return a connection to the floor's broker that says on the topic `status` whether the process is there.

    `momentary` subscriptions bring what is said while it is connected, and nothing from before.

    Raises:
        BrokerError: there are no credentials for it.
    """
    at = clock.now().isoformat()
    return MqttMessenger(
        host=settings.mqtt.host,
        port=settings.mqtt.port,
        ca_file=settings.ca_file,
        user=user,
        password_file=password_file,
        subscriptions=subscriptions,
        momentary=momentary,
        birth=(status, json.dumps({"state": "online", "at": at})),
        will=(status, json.dumps({"state": "offline", "at": at})),
    )


def stop_on_signal() -> threading.Event:
    """Return what is set once a signal asks to stop; called first: a signal during the start ends it in order too."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def wait_until(stop: threading.Event, ready: Path, *, each_pulse: Callable[[], None] = lambda: None) -> None:
    """Tell the service manager once a second that the process lives, until it is to stop.

    The file `ready` is there meanwhile, as old as the last pulse (`services/pulse.py`); `each_pulse` is called before
    each telling.
    """
    ready.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ready.touch()
    notify("READY=1")
    try:
        while not stop.wait(PULSE_S):
            each_pulse()
            ready.touch()
            notify("WATCHDOG=1")
    finally:
        ready.unlink(missing_ok=True)
