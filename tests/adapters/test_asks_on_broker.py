"""What an integration tells on the real broker is between it and the agent, and a caller's number stays on no disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edge_agent.ports import Outcome
from edge_agent.provision import broker as provision
from edge_agent.services import topics
from tests.adapters.test_broker_attacks import said_of, started
from tests.broker_fixture import Broker, broker_settings, running_broker, until
from tests.builders import BOX

pytestmark = pytest.mark.journey

KINDS = {"pbx": "integration", "other": "integration", "panel-1": "panel", "home": "home-assistant", "it": "console"}
OTHERS = [name for name in KINDS if name != "pbx"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(broker_settings(tmp_path_factory.mktemp("asks")), KINDS) as running:
        yield running


def test_what_an_integration_tells_and_is_told_is_between_it_and_the_agent(broker: Broker) -> None:
    ask, answer = topics.ask(BOX, "pbx", "01"), topics.answer(BOX, "pbx", "ask-000001")
    with (
        started(broker.messenger("agent", momentary=[topics.ask(BOX, "+", "+")])) as agent,
        started(broker.messenger("pbx", topics.answer(BOX, "pbx", "+"), "#")) as pbx,
        ExitStack() as open_,
    ):
        curious = [open_.enter_context(started(broker.messenger(name, "#"))) for name in OTHERS]
        assert said_of(pbx, ask, '{"caller":"090-1234-5678"}') is None
        assert said_of(agent, answer) is None
        until(agent.arrived)
        told: set[str] = set()
        until(lambda: told.update(arrived.topic for arrived in pbx.arrived()) or answer in told)
        assert not {topic for topic in told if "/ask/" in topic}
        heard = {arrived.topic for each in curious for arrived in each.arrived()}
        assert not [topic for topic in heard if "/ask/" in topic or "/answer/" in topic]


def test_a_number_told_while_the_agent_is_away_is_kept_by_no_broker(broker: Broker) -> None:
    numbers = {retained: f"090-1234-567{int(retained)}" for retained in (False, True)}
    listening = topics.ask(BOX, "+", "+")
    with started(broker.messenger("agent", momentary=[listening])):
        pass
    told: list[Outcome] = []
    with started(broker.messenger("pbx")) as pbx:
        for retained, number in numbers.items():
            pbx.send(topic=topics.ask(BOX, "pbx", "01"), payload=json.dumps({"caller": number}), retain=retained)
        until(lambda: told.extend(pbx.outcomes()) or len(told) == len(numbers))
        store = provision.folder(broker.settings) / "store"
        until(lambda: any(numbers[True].encode() in file.read_bytes() for file in store.iterdir()))
        with started(broker.messenger("agent", momentary=[listening])) as agent:
            came: list[bool] = []
            until(lambda: came.extend(arrived.retained for arrived in agent.arrived()) or came)
            assert came == [True], "what was not retained is gone"
            agent.send(topic=topics.ask(BOX, "pbx", "01"), payload="", retain=True)
            # What the agent does with a retained ask takes it off the disk too.
            until(lambda: not any(n.encode() in f.read_bytes() for f in store.iterdir() for n in numbers.values()))
