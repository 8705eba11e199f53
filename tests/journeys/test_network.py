"""Calls of another maker's telephones over a bad network: heard in time, counted, judged as from a file."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.rtp.calls import NetworkCalls
from edge_agent.adapters.rtp.codecs import Codec
from edge_agent.adapters.rtp.wire import Plan
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.domain.alert import Alert, AlertChange
from edge_agent.domain.finding import Label
from edge_agent.pipeline.events import AlertRaised, CallEnded, CallStarted
from edge_agent.pipeline.listen import LineListener
from edge_agent.ports import RATE, AudioBlock
from edge_agent.provision import demo
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.speech.choice import find_speech
from edge_agent.settings import Settings, share
from edge_agent.settings_rtp import Rtp, SeatOnNetwork, SeatRtp
from tests.adapters.rtp.senders import answer, invite, request, sdp
from tests.journeys.floor import RunningFloor, turns, until
from tests.journeys.telephones import BadNetwork, call
from tests.ports import free_ports

pytestmark = [
    pytest.mark.journey,
    pytest.mark.real,
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CALLS = share() / "firmware_config/demo/calls"
THREAT = CALLS / "threat.flac"
NETWORKS = {"01": (Codec.PCMU, 0.0), "02": (Codec.G722, 0.02), "03": (Codec.PCMA, 0.05)}
JITTER_S = 0.06


@pytest.fixture(scope="module")
def heard() -> tuple[dict[str, list[AudioBlock]], dict[str, dict[str, int]], dict[str, int]]:
    """Send the same call to three seats, each over a network of its own; return blocks, counters, lost packets."""
    ports = {seat: free_ports(4) for seat in NETWORKS}
    plan = Plan(
        rtp=Rtp(),
        seats=[
            SeatOnNetwork(seat=seat, source=SeatRtp(customer_port=there[0], operator_port=there[1]))
            for seat, there in ports.items()
        ],
        end_s=2.0,
    )
    blocks: dict[str, list[AudioBlock]] = {seat: [] for seat in NETWORKS}
    running = threading.Event()
    calls = NetworkCalls(
        plan,
        deliver={seat: got.append for seat, got in blocks.items()},
        on_fault=lambda _seat, fault: running.set() if fault is None else None,
    )
    stop = threading.Event()
    reading = threading.Thread(target=calls.run, args=(stop,))
    reading.start()
    network = BadNetwork(
        ways={there[2 + side]: there[side] for there in ports.values() for side in (0, 1)},
        loss={ports[seat][2 + side]: loss for seat, (_, loss) in NETWORKS.items() for side in (0, 1)},
        jitter_s=JITTER_S,
    )
    try:
        assert running.wait(10)
        with network:
            telephones = [
                call(THREAT, codec, customer_port=ports[seat][2], operator_port=ports[seat][3])
                for seat, (codec, _) in NETWORKS.items()
            ]
            for telephone in telephones:
                assert telephone.wait(120) == 0
            until(lambda: all(got and got[-1].in_call is False for got in blocks.values()), within_s=20, what="the end")
        received = {seat: sum(network.passed[port] for port in there[2:]) for seat, there in ports.items()}
        until(
            lambda: all(calls.counted.lines[seat]["received"] == count for seat, count in received.items()),
            within_s=5,
            what="the last counters",
        )
    finally:
        stop.set()
        reading.join()
    lost = {seat: sum(network.lost.get(port, 0) for port in there[2:]) for seat, there in ports.items()}
    return blocks, calls.counted.lines, lost


def lag_s(got: np.ndarray, sent: np.ndarray) -> float:
    """Return by how much one is behind the other, from the likeness of their loudness in steps of 2 ms."""
    step = RATE // 500
    loudness = [
        np.abs(one[: len(one) // step * step].astype(float)).reshape(-1, step).mean(axis=1) for one in (got, sent)
    ]
    got_loud, sent_loud = (one - one.mean() for one in loudness)
    size = 1 << (len(got_loud) + len(sent_loud)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(got_loud, size) * np.conj(np.fft.rfft(sent_loud, size)), size)
    best = int(np.argmax(likeness))
    return (best if best < size // 2 else best - size) / 500


@pytest.mark.parametrize("seat", NETWORKS)
def test_both_sides_are_heard_in_time_with_each_other(seat: str, heard: tuple) -> None:
    blocks, _, _ = heard
    recorded, rate = soundfile.read(THREAT, dtype="int16")
    sent = np.repeat(recorded, RATE // rate, axis=0)
    lags = [
        lag_s(np.concatenate([getattr(block, side) for block in blocks[seat]]), sent[:, channel])
        for channel, side in enumerate(("customer", "operator"))
    ]
    assert abs(lags[0] - lags[1]) <= 0.02
    assert -0.1 <= lags[0] <= 0.5  # the call's first block lies before its first packet


@pytest.mark.parametrize("seat", NETWORKS)
def test_what_was_lost_is_counted_and_made_up_and_nothing_else(seat: str, heard: tuple) -> None:
    _, counters, lost = heard
    counted = counters[seat]
    assert counted["lost"] == lost[seat]
    assert counted["late"] == counted["duplicate"] == counted["off"] == 0
    share_lost = counted["lost"] / (counted["lost"] + counted["received"])
    assert share_lost == pytest.approx(NETWORKS[seat][1], abs=0.01)
    # At the end of each voice nothing tells that it has ended: up to 100 ms are made up.
    assert counted["concealed"] / counted["played"] == pytest.approx(share_lost, abs=0.004)


def alerts(blocks: list[AudioBlock], *, whole: bool) -> list[Alert]:
    settings = Settings()
    speech = find_speech(settings, settings.models.speech)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    numbers = iter(range(1000))
    listener = LineListener(
        "01",
        VoskModel(speech.folder, speech.version),
        SileroDetector,
        OnnxClassifier(harassment.folder),
        load_policy(settings.policy_file),
        settings,
        new_id=lambda: str(next(numbers)),
        whole_source_is_one_call=whole,
    )
    events = [event for block in blocks for event in listener.feed(block)] + listener.finish()
    assert sum(isinstance(event, CallStarted) for event in events) == 1
    assert sum(isinstance(event, CallEnded) for event in events) == 1
    return [event.alert for event in events if isinstance(event, AlertRaised)]


@pytest.mark.parametrize("seat", NETWORKS)
def test_the_threat_is_alerted_as_from_the_file(seat: str, heard: tuple) -> None:
    from_network = alerts(heard[0][seat], whole=False)
    firm = [alert for alert in from_network if not alert.tentative and alert.change is not AlertChange.END]
    (telling,) = [turn for turn in turns("threat") if turn["telling"]]
    assert Label.THREAT in firm[0].types
    assert firm[0].at_s == pytest.approx(telling["end"], abs=2.0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read an interface")
def test_a_call_is_picked_off_a_mirror_by_its_extension_from_answer_to_hang_up(tmp_path: Path) -> None:
    exchange, phone = "127.0.0.8", "127.0.0.9"
    recorded, rate = soundfile.read(THREAT, dtype="int16")
    said = recorded[5 * rate : 17 * rate]
    soundfile.write(tmp_path / "call.flac", said, rate)
    blocks: list[AudioBlock] = []
    running = threading.Event()
    sip_port, to_phone, to_exchange = free_ports(3)
    calls = NetworkCalls(
        Plan(
            rtp=Rtp(interface="lo", sip_ports=(sip_port,)),
            seats=[SeatOnNetwork(seat="01", source=SeatRtp(extension="201"))],
            end_s=8.0,
        ),
        deliver={"01": blocks.append},
        on_fault=lambda _seat, fault: running.set() if fault is None else None,
    )

    def says(message: bytes, source: str, destination: str) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.bind((source, sip_port))
            out.sendto(message, (destination, sip_port))

    stop = threading.Event()
    reading = threading.Thread(target=calls.run, args=(stop,))
    reading.start()
    try:
        assert running.wait(10)
        says(invite("c1", caller="0901", called="201", media=exchange, sdp_port=to_exchange), exchange, phone)
        says(answer(200, "c1", caller="0901", called="201", body=sdp(phone, to_phone)), phone, exchange)
        telephone = call(
            tmp_path / "call.flac",
            Codec.PCMA,
            customer_port=to_phone,
            operator_port=to_exchange,
            customer=exchange,
            operator=phone,
        )
        assert telephone.wait(60) == 0
        assert blocks[-1].in_call is True
        says(request("BYE", "c1", caller="0901", called="201"), exchange, phone)
        until(lambda: blocks[-1].in_call is False, within_s=2, what="the end of the call")
    finally:
        stop.set()
        reading.join()
    sent = np.repeat(said, RATE // rate, axis=0)
    lags = [
        lag_s(np.concatenate([getattr(block, side) for block in blocks]), sent[:, channel])
        for channel, side in enumerate(("customer", "operator"))
    ]
    assert abs(lags[0] - lags[1]) <= 0.02


def test_a_threat_over_the_network_is_shown_at_the_panel(tmp_path: Path) -> None:
    ports = free_ports(2)
    extra = (
        "\n[[seats]]\nseat = '09'\nlabel_ja = '9番席'\nlabel_en = 'Seat 9'\n"
        f"rtp = {{ customer_port = {ports[0]}, operator_port = {ports[1]} }}\n"
    )
    floor = RunningFloor(tmp_path, [demo.Placed(start_s=1000.0, seat=1, call="order-calm")], length_s=5.0, extra=extra)
    floor.start()
    try:
        panel = floor.panel()
        telephone = call(THREAT, Codec.PCMU, customer_port=ports[0], operator_port=ports[1])
        until(lambda: panel.of(change="new"), within_s=90, what="the alert")
        _, alert = panel.of(change="new")[0]
        assert (alert["seat"], alert["types"]) == ("09", ["threat"])
        telephone.terminate()
        telephone.wait(20)
        until(lambda: panel.of(change="end"), within_s=60, what="the end of the call")
        panel.close()
    finally:
        floor.stop()
