"""The agent: adapters are built, threads are started, and everything is stopped in the opposite order."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence

import msgspec

from edge_agent.adapters.card import Card
from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.rtp.calls import NetworkCalls
from edge_agent.adapters.rtp.wire import Plan
from edge_agent.adapters.service_manager import notify
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.speech_probe import probe
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.daemon_devices import (
    ask_desk,
    box_commands,
    broker_watch,
    device_subscriptions,
    device_watch,
    discovery,
    each,
)
from edge_agent.daemon_lamps import lamp_workers
from edge_agent.daemon_lines import card_figures, deliver_all, line_board, line_watches, watched
from edge_agent.daemon_privacy import announcement_keeper, heard, line_taps, pause_keeper, ring_mib
from edge_agent.domain.finding import Scores
from edge_agent.errors import ModelError
from edge_agent.log import Log
from edge_agent.pipeline.escalator import Escalator
from edge_agent.pipeline.lamps import LampBoard, LampPresence
from edge_agent.pipeline.line_watch import LineFaults
from edge_agent.pipeline.lines import BlockQueue, Line
from edge_agent.pipeline.listen import LineListener
from edge_agent.pipeline.overload import Overload
from edge_agent.pipeline.pauses import PauseKeeper
from edge_agent.pipeline.pool import LinePool, workers
from edge_agent.pipeline.recorder import Recorder
from edge_agent.pipeline.sender import Sender
from edge_agent.pipeline.speech_switch import SpeechSwitch
from edge_agent.pipeline.supervisor import Supervisor
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import Classifier
from edge_agent.service_process import broker_link, stop_on_signal, wait_until
from edge_agent.services import pulse, topics
from edge_agent.services.model_store import InstalledModel, ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.speech.choice import find_speech, refuse
from edge_agent.services.speech.self_test import self_test
from edge_agent.services.system_clock import SystemClock
from edge_agent.settings import Settings
from edge_agent.store import speech as speech_table
from edge_agent.store.database import open_live, open_main

log = Log("agent")


class SharedClassifier:
    """One classifier for all lines: a few milliseconds an utterance, so lines take turns."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._turn = threading.Lock()
        self.model_version = classifier.model_version

    def classify(self, text: str) -> Scores:
        """Return the scores of one utterance."""
        with self._turn:
            return self._classifier.classify(text)


def run(settings: Settings) -> None:
    """Listen, judge and alert until SIGTERM or SIGINT.

    Raises:
        MamoriError: whatever keeps the agent from starting, with a remedy.
    """
    stop = stop_on_signal()
    # Everything that can be wrong is found before the first thread starts.
    policy = load_policy(settings.policy_file)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    classifier = SharedClassifier(OnnxClassifier(harassment.folder))
    open_live(settings.run).close()
    clock = SystemClock()
    speech = SpeechSwitch(
        _first_speech_model(settings, clock),
        default=settings.models.speech,
        find=lambda name: find_speech(settings, name),
        load=lambda model: _tried(settings, model),
        open_database=lambda: open_main(settings.data),
        clock=clock,
    )
    messenger = _messenger(settings, clock)

    presence, watch, commands = LampPresence(settings.box), device_watch(settings, clock), box_commands(settings, clock)
    takers = [presence.take, watch.take, commands.take]
    sender = Sender(
        box=settings.box,
        messenger=messenger,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        health=lambda: (
            _health(recorder, pool, speech, network)
            | {"lines": len(lines), "lamp_faults": board.faults, "line_troubles": line_health.troubles}
            | {"cards": card_figures([card.report for card in cards])}
            | {"silent_integrations": sorted(announcements.silent)}
            | {"memory": {"ring_mib": ring_mib(taps), "recognizers": pool.recognizers}}
        ),
        on_message=each(takers),
    )
    told = discovery(settings, sender)
    desk = ask_desk(settings, clock, sender, messenger)
    takers += [told.take, desk.take]
    recorder = Recorder(
        box=settings.box,
        clock=clock,
        open_main=lambda: open_main(settings.data),
        open_live=lambda: open_live(settings.run),
        show_state=sender.show_state,
        send_unstored=sender.send_unstored,
        seats=[seat.seat for seat in settings.seats],
    )
    escalator = Escalator(
        box=settings.box,
        policy=policy,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        seats=settings.seats,
    )
    queues = {seat.seat: BlockQueue() for seat in settings.seats}
    watches, faults = line_watches(settings, policy), LineFaults(recorder.note_fault)
    overload = Overload(settings.listening.resting_order([seat.seat for seat in settings.seats]))
    line_health = line_board(
        settings, watches, recorder, faults, lambda: [card.report for card in cards], lambda: overload.now
    )
    taps = line_taps(settings, queues, deliver_all(watches, queues))
    pauses, announcements = (
        pause_keeper(settings, taps, recorder, clock),
        announcement_keeper(settings, taps, watches, clock),
    )
    lines = [
        Line(
            seat.seat,
            listener=LineListener(
                seat.seat, speech, SileroDetector, classifier, policy, settings,
                new_id=lambda: uuid.uuid4().hex, stage=lambda: overload.stage,
            ),
            blocks=queues[seat.seat],
            on_events=watched(watches[seat.seat], heard(recorder, pauses, announcements)),
            end_silence_s=settings.calls.end_silence_ms / 1000,
            announced_silence_s=settings.calls.announced_silence_s,
        )
        for seat in settings.seats
    ]  # fmt: skip
    pool = LinePool(lines, overload=overload, workers=workers(settings.listening.workers), on_rest=faults.of_rest)
    cards = [
        Card(
            device,
            settings.seats,
            deliver={seat.seat: taps[seat.seat].put for seat in settings.seats if seat.device == device.name},
            on_fault=faults.of_input,
        )
        for device in settings.devices
    ]

    network = _network(settings, taps, faults, pauses)

    lamps = lamp_workers(settings, messenger, presence, clock)
    board = LampBoard(
        settings=settings.lamps,
        workers=lamps,
        open_main=lambda: open_main(settings.data),
        open_live=lambda: open_live(settings.run),
        unwritten=lambda: recorder.unwritten_incidents,
    )

    supervisor = Supervisor()
    messenger.start()
    supervisor.start("sender", sender.run)
    supervisor.start("recorder", recorder.run)
    supervisor.start("escalator", escalator.run)
    supervisor.start("line-health", line_health.run)
    for lamp in lamps.values():
        supervisor.start(f"lamp-{lamp.name}", lamp.run)
    supervisor.start("lamps", board.run)
    sides = {
        "devices": watch.run,
        "refusals": broker_watch(settings, clock).run,
        "commands": commands.run,
        "discovery": told.run,
        "speech": speech.run,
        "pauses": pauses.run,
        "announcements": announcements.run,
        "asks": desk.run,
    }
    for name, work in sides.items():
        supervisor.start(name, work)
    for number in range(pool.workers):
        supervisor.start(f"listening-{number}", pool.work)
    supervisor.start("overload", pool.watch)
    for device, card in zip(settings.devices, cards, strict=True):
        supervisor.start(f"card-{device.name}", card.run)
    if network is not None:
        supervisor.start("network", network.run)
    log.info("agent.listening", line=len(lines), policy=policy.version, model=speech.model_version)
    wait_until(stop, settings.run / pulse.AGENT, each_pulse=lambda: _show_levels(recorder, lines, network))
    notify("STOPPING=1")
    supervisor.stop()
    messenger.stop()
    log.info("agent.stopped")


def _network(
    settings: Settings, taps: Mapping[str, Tap], faults: LineFaults, pauses: PauseKeeper
) -> NetworkCalls | None:
    """Return the calls of the network, if any seat has its voices from there."""
    seats = settings.seats_on_network
    if not seats:
        return None
    return NetworkCalls(
        Plan(rtp=settings.rtp, seats=seats, end_s=settings.calls.end_silence_ms / 1000),
        deliver={seat.seat: taps[seat.seat].put for seat in seats},
        on_fault=faults.of_input,
        on_keys=pauses.keys,
    )


def _messenger(settings: Settings, clock: SystemClock) -> MqttMessenger:
    base = topics.base(settings.box)
    return broker_link(
        settings,
        user=settings.mqtt.user,
        password_file=settings.mqtt_password_file,
        status=topics.status(settings.box),
        subscriptions=[f"{base}/ack/+/+", topics.lamp_status(settings.box, "+"), *device_subscriptions(settings)],
        momentary=[topics.ask(settings.box, "+", "+")],
        clock=clock,
    )


def _first_speech_model(settings: Settings, clock: SystemClock) -> VoskModel:
    """Return the chosen model, or the settings' if the chosen one does not work: a floor is never left unheard."""
    db = open_main(settings.data)
    try:
        chosen = speech_table.choice(db)
        try:
            model = find_speech(settings, chosen.chosen or settings.models.speech)
            # What never ran is tried in a process of its own first: a broken model would end this one, again and again.
            new = bool(chosen.chosen) and model.version != chosen.running
            return _tried(settings, model) if new else VoskModel(model.folder, model.version)
        except ModelError as error:
            if chosen.chosen in {"", settings.models.speech}:
                raise
            log.error("speech.refused", model=chosen.version, error=type(error).__name__)
            refuse(db, chosen, error, default=settings.models.speech, now=clock.now())
        model = find_speech(settings, settings.models.speech)
        return VoskModel(model.folder, model.version)
    finally:
        db.close()


def _tried(settings: Settings, model: InstalledModel) -> VoskModel:
    self_test(model.folder, shipped=settings.models_folder, probe=probe)
    return VoskModel(model.folder, model.version)


def _health(
    recorder: Recorder, pool: LinePool, speech: SpeechSwitch, network: NetworkCalls | None
) -> dict[str, object]:
    figures: dict[str, object] = {"network": msgspec.to_builtins(network.counted)} if network is not None else {}
    return figures | {
        "faults": recorder.faults,
        "unwritten": recorder.unwritten,
        "behind_s": round(pool.behind_s, 1),
        "overload": pool.figures,
        "speech": speech.model_version,
        "speech_refused": speech.refused,
    }


def _show_levels(recorder: Recorder, lines: Sequence[Line], network: NetworkCalls | None) -> None:
    for line in lines:
        customer, operator = line.levels_dbfs
        missing = network.missing_blocks(line.seat) if network is not None else 0
        dropped = line.dropped + missing
        recorder.note_levels(line.seat, customer=customer, operator=operator, dropped=dropped)
