"""The process that watches the buttons: alone, so that it works when recognition, classifier and broker do not.

It loads no model and no sound; what keeps the broker or one source of buttons from working keeps nothing else from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from time import monotonic

import click

from edge_agent import log as logs
from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.adapters.mqtt_button import ButtonMessages
from edge_agent.adapters.service_manager import notify
from edge_agent.errors import BrokerError, MamoriError, PolicyError, StoreError
from edge_agent.log import Log
from edge_agent.pipeline.button_health import ButtonHealth
from edge_agent.pipeline.button_keeper import ButtonKeeper
from edge_agent.pipeline.button_lights import ButtonLights
from edge_agent.pipeline.catching_up import PanelWatch
from edge_agent.pipeline.escalator import Escalator
from edge_agent.pipeline.sender import Sender
from edge_agent.pipeline.supervisor import Supervisor
from edge_agent.ports import Arrived, ButtonSeen, ButtonSource, Light, Messenger, Outcome
from edge_agent.service_process import broker_link, stop_on_signal, wait_until
from edge_agent.services import buttons as services
from edge_agent.services import topics
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.system_clock import SystemClock
from edge_agent.settings import Settings, load
from edge_agent.store.database import Database, open_live, open_main
from edge_agent.store.outbox import BUTTONS

POLL_S = 0.02
"""How long a message of a button, or a row of the outbox, may lie: a press is at the panel within 200 ms."""
RETRY_S = 1.0
"""Wait before a thread whose database could not be opened begins again."""
USER = "buttons"
"""Its identity on the broker."""

log = Log("buttons")


class NoBroker:
    """Stands for a broker this process has no credentials for: presses are kept until it has."""

    def connected(self) -> bool:
        """Never."""
        return False

    def generation(self) -> int:
        """Return how often a connection was made."""
        return 0

    def send(self, *, topic: str, payload: str, retain: bool = False, expiry_s: int | None = None) -> int | None:  # noqa: ARG002
        """Take nothing."""
        return None

    def outcomes(self) -> list[Outcome]:
        """Return nothing."""
        return []

    def arrived(self) -> list[Arrived]:
        """Return nothing."""
        return []


def run(settings: Settings) -> None:
    """Watch the buttons until SIGTERM or SIGINT."""
    stop = stop_on_signal()
    clock = SystemClock()
    messages = ButtonMessages(topics.base(settings.box))
    link, messenger = _messenger(settings, messages, clock)

    def open_database() -> Database:
        return open_main(settings.data)

    panels = PanelWatch(box=settings.box, clock=clock, owner=BUTTONS, open_database=open_database)

    def on_message(arrived: Arrived) -> None:
        panels.take(arrived)
        for told in messages.read(arrived, at_s=monotonic()) or ():
            keeper.tell(told)

    sender = Sender(
        box=settings.box,
        messenger=messenger,
        clock=clock,
        open_database=open_database,
        health=lambda: health.report(),  # noqa: PLW0108 - it is made below
        owner=BUTTONS,
        heartbeat=topics.button_health(settings.box),
        poll_s=POLL_S,
        on_message=on_message,
    )
    lamps, lamp = _lights(settings)
    lights = ButtonLights(
        box=settings.box,
        buttons=settings.buttons,
        lights=lamps,
        lamp=lamp,
        clock=clock,
        show_state=sender.show_state,
        open_database=open_database,
    )
    keeper = ButtonKeeper(
        box=settings.box,
        buttons=settings.buttons,
        timing=settings.presses.timing,
        clock=clock,
        lights=lights,
        open_main=open_database,
        open_live=lambda: open_live(settings.run),
        send_unstored=sender.send_unstored,
        privacy=settings.privacy,
    )
    health = ButtonHealth(settings=settings, keeper=keeper, clock=clock, open_database=open_database)
    supervisor = Supervisor()
    # The light and the book before the sources: the first press must find them ready.
    supervisor.start("lights", lights.run)
    supervisor.start("keeper", keeper.run)
    for number, source in enumerate(_sources(settings, keeper)):
        supervisor.start(f"source-{number}", _bound(source, keeper))
    if link is not None:
        link.start()
    supervisor.start("sender", _again_and_again(sender.run))
    supervisor.start("health", health.run)
    supervisor.start("panels", _again_and_again(panels.run))
    escalator = _escalator(settings, clock)
    if escalator is not None:
        supervisor.start("escalator", _again_and_again(escalator.run))
    log.info("buttons.watching", count=len(settings.buttons))
    wait_until(stop, settings.run / "buttons.ready")
    notify("STOPPING=1")
    supervisor.stop()
    if link is not None:
        link.stop()
    log.info("buttons.stopped")


def _messenger(
    settings: Settings, messages: ButtonMessages, clock: SystemClock
) -> tuple[MqttMessenger | None, Messenger]:
    try:
        link = broker_link(
            settings,
            user=USER,
            password_file=settings.buttons_password_file,
            status=topics.button_status(settings.box),
            subscriptions=[
                f"{topics.base(settings.box)}/ack/+/+",
                topics.alive(settings.box, "+"),
                *messages.subscriptions,
            ],
            clock=clock,
        )
    except BrokerError as error:
        log.error("broker.unusable", error=type(error).__name__)
        return None, NoBroker()
    return link, link


def _sources(settings: Settings, keeper: ButtonKeeper) -> list[ButtonSource]:
    """Return what reads the buttons on pins and USB; one that cannot be used is a fault of its buttons alone."""
    found: list[ButtonSource] = []
    pins = sorted((b for b in settings.buttons if b.kind == "gpio"), key=lambda b: b.chip)
    keys = sorted((b for b in settings.buttons if b.kind == "usb"), key=lambda b: b.device)
    try:
        if pins:
            # Imported where it is needed: a machine without pins does not need the library.
            from edge_agent.adapters.gpio import GpioButtons  # noqa: PLC0415

            debounce_s = settings.presses.timing.debounce_s
            found += [GpioButtons(chip, list(b), debounce_s=debounce_s) for chip, b in groupby(pins, lambda b: b.chip)]
        if keys:
            from edge_agent.adapters.usb_button import UsbButtons  # noqa: PLC0415

            found += [UsbButtons(device, list(b)) for device, b in groupby(keys, lambda b: b.device)]
    except ImportError as error:
        log.error("source.unusable", error=type(error).__name__)
        for button in [*pins, *keys]:
            keeper.tell(ButtonSeen(button=button.name, fault=services.NO_LIBRARY))
    return found


def _lights(settings: Settings) -> tuple[Mapping[str, Light], Light | None]:
    wired = [button for button in settings.buttons if button.kind == "gpio" and button.light_line >= 0]
    if not wired and not settings.presses.lamp_chip:
        return {}, None
    try:
        from edge_agent.adapters.gpio import GpioLight  # noqa: PLC0415 - as above
    except ImportError as error:
        log.error("lamp.unusable", error=type(error).__name__)
        return {}, None
    lights = {button.name: GpioLight(button.chip, button.light_line) for button in wired}
    presses = settings.presses
    return lights, GpioLight(presses.lamp_chip, presses.lamp_line) if presses.lamp_chip else None


def _escalator(settings: Settings, clock: SystemClock) -> Escalator | None:
    try:
        policy = load_policy(settings.policy_file)
    except PolicyError as error:
        # Calls for help reach the panels all the same; only the ladder needs the policy.
        log.error("policy.unusable", error=type(error).__name__)
        return None
    return Escalator(
        box=settings.box,
        policy=policy,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        seats=settings.seats,
        owner=BUTTONS,
    )


def _bound(source: ButtonSource, keeper: ButtonKeeper) -> Callable[[threading.Event], None]:
    return lambda stop: source.run(stop, keeper.tell)


def _again_and_again(work: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
    """Return work that begins again when its database cannot be opened: the lamp must not wait for it."""

    def patient(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                work(stop)
            except StoreError as error:
                log.error("store.unusable", error=type(error).__name__)
                stop.wait(RETRY_S)

    return patient


@click.command()
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/mamori/mamori.toml"),
    show_default=True,
    help="設定ファイル / settings file",
)
def main(*, settings_file: Path) -> None:
    """ボタンを見張る（systemd が起動します） / watch the buttons (started by systemd)."""
    logs.set_up()
    try:
        run(load(settings_file))
    except MamoriError as error:
        click.echo(f"{error.what.ja} {error.remedy.ja}\n{error}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
