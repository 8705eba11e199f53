"""Lamps and towers in their own languages; HTTP is real, the broker of the others is in another test."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from edge_agent.adapters.esphome_lamp import EsphomeLamp
from edge_agent.adapters.patlite_http import PatliteHttp
from edge_agent.adapters.patlite_mqtt import PatliteMqtt
from edge_agent.domain.lamp import CALM, OFF, Colour, LampState, Pattern
from edge_agent.errors import LampError
from tests.builders import START
from tests.fakes import StandingClock
from tests.ports import free_port
from tests.towers import HttpTower

RED_FAST = LampState(colour=Colour.RED, pattern=Pattern.FAST)
AMBER_SLOW = LampState(colour=Colour.AMBER, pattern=Pattern.SLOW)
BLUE = LampState(colour=Colour.BLUE)
WHITE = LampState(colour=Colour.WHITE)


@pytest.fixture
def tower() -> Iterator[HttpTower]:
    made = HttpTower()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("state", "digits"),
    [
        (OFF, "000000"),
        (CALM, "001000"),
        (BLUE, "000100"),
        (WHITE, "000010"),
        (AMBER_SLOW, "020000"),
        (RED_FAST, "200000"),
    ],
)
def test_a_tower_on_http_shows_what_it_is_told_and_never_sounds(
    tower: HttpTower, state: LampState, digits: str
) -> None:
    PatliteHttp(host="127.0.0.1", port=tower.port).show(state)
    assert tower.shows == digits


def test_a_tower_that_is_off_is_an_error_with_its_address_and_a_remedy() -> None:
    port = free_port()
    with pytest.raises(LampError, match=f"127.0.0.1:{port}") as error:
        PatliteHttp(host="127.0.0.1", port=port).show(CALM)
    assert "[[lamps]]" in error.value.remedy.ja


def test_a_tower_that_takes_the_connection_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.adapters.patlite_http.TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(LampError, match="TimeoutError"):
        PatliteHttp(host="127.0.0.1", port=mute.getsockname()[1]).show(CALM)


@pytest.mark.parametrize("said", [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nError.",
                                  b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b""])  # fmt: skip
def test_what_is_no_success_is_an_error(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(LampError):
            PatliteHttp(host="127.0.0.1", port=server.getsockname()[1]).show(CALM)
        thread.join()


class Published:
    """A broker in memory that may be away."""

    def __init__(self) -> None:
        self.away = False
        self.messages: list[tuple[str, dict[str, object]]] = []

    def __call__(self, topic: str, payload: str) -> bool:
        if not self.away:
            self.messages.append((topic, json.loads(payload)))
        return not self.away


def test_a_tower_on_mqtt_is_told_six_digits_and_knows_two_ways_to_flash() -> None:
    broker = Published()
    tower = PatliteMqtt(topic="lamp/t1/state", publish=broker)
    for state in (RED_FAST, AMBER_SLOW, BLUE):
        tower.show(state)
    assert broker.messages == [
        ("lamp/t1/state", {"alert": "300000"}),
        ("lamp/t1/state", {"alert": "020000"}),
        ("lamp/t1/state", {"alert": "000100"}),
    ]
    broker.away = True
    with pytest.raises(LampError, match="lamp/t1/state"):
        tower.show(CALM)


def test_a_tower_on_mqtt_with_an_address_is_knocked_at(tower: HttpTower) -> None:
    broker = Published()
    PatliteMqtt(topic="t", publish=broker, address=("127.0.0.1", tower.port)).show(CALM)
    with pytest.raises(LampError, match="ConnectionRefusedError"):
        PatliteMqtt(topic="t", publish=broker, address=("127.0.0.1", free_port())).show(CALM)
    # It was told all the same: the message waits for it at the broker.
    assert len(broker.messages) == 2


def test_a_desk_lamp_is_told_colour_and_pattern_and_is_a_fault_while_it_is_offline() -> None:
    broker, there = Published(), [True]
    lamp = EsphomeLamp(topic="t", publish=broker, is_there=lambda: there[0], clock=StandingClock(START))
    lamp.show(RED_FAST)
    assert broker.messages == [
        ("t", {"schema": 1, "colour": "red", "pattern": "fast", "at": START.isoformat()}),
    ]
    there[0] = False
    with pytest.raises(LampError, match="offline"):
        lamp.show(CALM)
    assert broker.messages[-1][1]["colour"] == "green"
    broker.away = True
    with pytest.raises(LampError, match="MQTT"):
        lamp.show(CALM)
