"""The link to the floor's broker, with the real Mosquitto."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.errors import BrokerError
from edge_agent.ports import Arrived, Outcome
from edge_agent.provision import broker as provision
from edge_agent.provision import pki
from edge_agent.services import topics
from tests.broker_fixture import Broker, broker_settings, running_broker, until
from tests.builders import BOX

pytestmark = pytest.mark.journey

ALERT = topics.alert(BOX, "alert-1")
ALERTS = topics.alert(BOX, "+")
STATUS = topics.status(BOX)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(broker_settings(tmp_path)) as running:
        yield running


@contextmanager
def started(messenger: MqttMessenger, *, expected: bool = True) -> Iterator[MqttMessenger]:
    messenger.start()
    try:
        if expected:
            until(messenger.connected)
        yield messenger
    finally:
        messenger.stop()


def outcomes_of(messenger: MqttMessenger, count: int) -> list[Outcome]:
    there: list[Outcome] = []
    until(lambda: there.extend(messenger.outcomes()) or len(there) >= count)
    return there


def arrivals_at(messenger: MqttMessenger, count: int) -> list[Arrived]:
    there: list[Arrived] = []
    until(lambda: there.extend(messenger.arrived()) or len(there) >= count)
    return there


def test_an_alert_reaches_a_panel_and_its_receipt_the_agent(broker: Broker) -> None:
    agent = broker.messenger("agent", topics.receipt(BOX, "+", "+"))
    panel = broker.messenger("panel-1", ALERTS)
    with started(agent), started(panel):
        ticket = agent.send(topic=ALERT, payload='{"quotes":["ただじゃおかない"]}')
        assert outcomes_of(agent, 1) == [Outcome(ticket=ticket, refused=None)]
        [alert] = arrivals_at(panel, 1)
        assert (alert.topic, json.loads(alert.payload)) == (ALERT, {"quotes": ["ただじゃおかない"]})
        panel.send(topic=topics.receipt(BOX, "alert-1", "panel-1"), payload='{"kind":"seen"}')
        [receipt] = arrivals_at(agent, 1)
        assert receipt.topic.endswith("/ack/alert-1/panel-1")


def test_a_wrong_password_is_refused_and_said_in_the_log(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed\n")
    with (
        caplog.at_level(logging.INFO),
        started(broker.messenger("agent", password_file=wrong), expected=False) as agent,
    ):
        until(lambda: "broker.refused" in caplog.text)
        assert not agent.connected()
        assert agent.send(topic=ALERT, payload="{}") is None
    assert "Not_authorized" in caplog.text
    assert "guessed" not in caplog.text


# paho leaves its socket to the garbage collector when the handshake fails.
@pytest.mark.filterwarnings(r"ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_another_authority_s_broker_is_not_trusted(broker: Broker, tmp_path: Path) -> None:
    pki.ensure_authority(tmp_path / "other", now=datetime.now(UTC))
    agent = broker.messenger("agent", ca_file=tmp_path / "other/ca.crt")
    with started(agent, expected=False):
        until(lambda: "unknown ca" in broker.log())
        assert not agent.connected()


def test_what_a_device_may_not_say_comes_back_refused_with_the_reason(broker: Broker) -> None:
    with started(broker.messenger("panel-1")) as panel, started(broker.messenger("panel-2", ALERTS)) as other:
        forged = panel.send(topic=ALERT, payload="{}")
        for_another = panel.send(topic=topics.receipt(BOX, "alert-1", "panel-2"), payload="{}")
        own = panel.send(topic=topics.receipt(BOX, "alert-1", "panel-1"), payload="{}")
        told = {outcome.ticket: outcome.refused for outcome in outcomes_of(panel, 3)}
        assert told == {forged: "Not authorized", for_another: "Not authorized", own: None}
        assert other.arrived() == []


def test_a_panel_cannot_hear_other_panels_receipts(broker: Broker) -> None:
    curious = broker.messenger("panel-2", topics.receipt(BOX, "+", "+"), "#", ALERTS)
    with started(broker.messenger("panel-1")) as panel, started(broker.messenger("agent")) as agent, started(curious):
        panel.send(topic=topics.receipt(BOX, "alert-1", "panel-1"), payload="{}")
        outcomes_of(panel, 1)
        agent.send(topic=ALERT, payload="{}")
        assert {arrived.topic for arrived in arrivals_at(curious, 1)} == {ALERT}


def test_while_the_broker_is_away_nothing_is_taken_and_afterwards_everything_works_again(broker: Broker) -> None:
    with started(broker.messenger("agent")) as agent:
        generation = agent.generation()
        broker.stop()
        until(lambda: not agent.connected())
        assert agent.send(topic=ALERT, payload="{}") is None
        broker.start()
        until(agent.connected)
        assert agent.generation() == generation + 1
        ticket = agent.send(topic=ALERT, payload="{}")
        assert Outcome(ticket=ticket, refused=None) in outcomes_of(agent, 1)


def test_a_panel_that_was_away_gets_its_alerts_even_if_the_broker_was_killed_meanwhile(broker: Broker) -> None:
    panel = broker.messenger("panel-1", ALERTS)
    with started(panel):
        pass
    with started(broker.messenger("agent")) as agent:
        agent.send(topic=ALERT, payload='{"n":1}')
        outcomes_of(agent, 1)
        broker.kill()
        until(lambda: not agent.connected())
    broker.start()
    with started(broker.messenger("panel-1", ALERTS)) as back:
        assert [arrived.payload for arrived in arrivals_at(back, 1)] == [b'{"n":1}']


def test_the_floor_is_told_when_the_box_comes_and_goes(broker: Broker) -> None:
    panel = broker.messenger("panel-1", STATUS)
    agent = broker.messenger("agent", birth=(STATUS, "online"), will=(STATUS, "offline"))
    with started(panel):
        with started(agent):
            assert arrivals_at(panel, 1)[0].payload == b"online"
        assert arrivals_at(panel, 1)[0].payload == b"offline"


def test_the_floor_is_told_when_the_box_is_cut_off(broker: Broker) -> None:
    panel = broker.messenger("panel-1", STATUS)
    agent = broker.messenger("agent", birth=(STATUS, "online"), will=(STATUS, "offline"))
    with started(panel), started(agent):
        assert arrivals_at(panel, 1)[0].payload == b"online"
        # The cable is pulled: the connection ends without a goodbye.
        agent._client.socket().close()
        assert arrivals_at(panel, 1)[0].payload == b"offline"


def test_a_revoked_device_is_put_out_and_stays_out(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    with started(broker.messenger("panel-1", ALERTS)) as panel, started(broker.messenger("agent")) as agent:
        provision.revoke_device(broker.settings, "panel-1")
        provision.reload(broker.settings)
        until(lambda: not panel.connected())
        until(lambda: "broker.refused" in caplog.text)
        agent.send(topic=ALERT, payload="{}")
        outcomes_of(agent, 1)
        assert panel.arrived() == []
        assert not panel.connected()


def test_a_device_added_later_gets_in_without_a_restart(broker: Broker) -> None:
    provision.add_device(broker.settings, "panel-3", "panel")
    provision.reload(broker.settings)
    with started(broker.messenger("panel-3", ALERTS)) as late, started(broker.messenger("agent")) as agent:
        agent.send(topic=ALERT, payload="{}")
        assert len(arrivals_at(late, 1)) == 1


@pytest.mark.parametrize("missing", ["password_file", "ca_file"])
def test_credentials_that_are_not_there_are_a_clear_error(broker: Broker, tmp_path: Path, missing: str) -> None:
    with pytest.raises(BrokerError, match="mamori device add"):
        broker.messenger("agent", **{missing: tmp_path / "nothing"})
