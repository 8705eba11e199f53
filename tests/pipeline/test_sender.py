"""From the outbox to the broker: nothing is forgotten, and nothing waits for what goes wrong elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.domain.alert import AlertChange
from edge_agent.domain.incident import IncidentState
from edge_agent.pipeline.sender import HEARTBEAT_S, IN_FLIGHT, POLL_S, REFUSED_WAIT_S, STORE_WAIT_S, Sender
from edge_agent.services import topics
from edge_agent.services.incidents import acknowledge, change_alert, open_incident
from edge_agent.store import audit, incidents, outbox, receipts
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, after, an_alert
from tests.fakes import MemoryMessenger, Moments, StandingClock


class Floor:
    """A sender on a real database, with a broker in memory."""

    def __init__(self, data: Path) -> None:
        self.agent = open_main(data)
        self.broker = MemoryMessenger()
        self.clock = StandingClock(START)
        self.senders_own: Database | None = None
        self._data = data
        self.sender = self.new_sender()

    def new_sender(self) -> Sender:
        """A sender as after a start of the agent."""
        self.sender = Sender(
            box=BOX,
            messenger=self.broker,
            clock=self.clock,
            open_database=self._open,
            health=lambda: {"lines": 8, "faults": 0},
        )
        return self.sender

    def _open(self) -> Database:
        self.senders_own = open_main(self._data)
        return self.senders_own

    def passes(self, *moments: Callable[[], object]) -> None:
        """The sender looks once after each moment, and is told to stop after the last."""
        self.sender.run(Moments(*moments))  # type: ignore[arg-type]

    def alert(self, number: int = 1, *words: str) -> None:
        open_incident(self.agent, an_alert(f"alert-{number}", quotes=words), box=BOX, now=START)

    def told(self) -> list[str]:
        return [message["alert_id"] for message in self.broker.on("/alert/")]


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = Floor(tmp_path)
    yield floor
    floor.agent.close()


def nothing() -> None:
    """Nothing happens at this moment."""


def seconds(count: float) -> list[Callable[[], object]]:
    return [nothing] * (round(count / POLL_S) + 1)


def test_an_alert_goes_out_at_the_next_look_and_once(floor: Floor) -> None:
    floor.passes(floor.alert, nothing, nothing, nothing)
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == 0
    assert floor.sender.unsent == 0


def test_an_alert_while_the_broker_is_away_goes_out_when_it_is_back_and_once(floor: Floor) -> None:
    floor.broker.away = True
    floor.passes(floor.alert, nothing, nothing)
    assert floor.told() == []
    assert floor.sender.unsent == 1
    floor.passes(floor.broker.come_back, nothing, nothing)
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == 0


def test_revisions_of_an_alert_go_out_in_order(floor: Floor) -> None:
    def grows_and_ends() -> None:
        floor.alert()
        change_alert(floor.agent, an_alert(quotes=(), revision=2, change=AlertChange.UPDATE), box=BOX, now=START)
        change_alert(floor.agent, an_alert(quotes=(), revision=3, change=AlertChange.END), box=BOX, now=START)

    floor.passes(grows_and_ends, nothing)
    assert [message["change"] for message in floor.broker.on("/alert/")] == ["new", "update", "end"]


def test_an_alert_the_broker_has_not_confirmed_is_sent_again_after_a_restart(floor: Floor) -> None:
    floor.broker.holding_back = True
    floor.passes(floor.alert, nothing, nothing)
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == 1
    floor.broker.holding_back = False
    floor.new_sender()
    floor.passes(nothing, nothing, nothing)
    assert floor.told() == ["alert-1", "alert-1"]
    assert outbox.count_unsent(floor.agent) == 0


def test_an_alert_committed_before_the_agent_was_killed_goes_out_after_the_start(floor: Floor) -> None:
    floor.alert()
    floor.passes(nothing, nothing)
    assert floor.told() == ["alert-1"]


def test_a_late_confirmation_counts(floor: Floor) -> None:
    floor.broker.holding_back = True
    floor.passes(floor.alert, nothing, floor.broker.acknowledge_held, nothing)
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == 0


def test_a_refused_alert_is_kept_and_offered_again_after_a_while(floor: Floor) -> None:
    floor.broker.refusing = "alert-1"
    floor.passes(floor.alert, nothing, nothing)
    floor.broker.refusing = None
    floor.passes(*seconds(REFUSED_WAIT_S - 0.5))
    assert floor.told() == []
    assert outbox.count_unsent(floor.agent) == 1
    floor.passes(*seconds(1))
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == 0


def test_other_alerts_do_not_wait_for_a_refused_one(floor: Floor) -> None:
    floor.broker.refusing = "alert-1"
    floor.passes(floor.alert, nothing, lambda: floor.alert(2), nothing)
    assert floor.told() == ["alert-2"]


def test_alerts_do_not_wait_for_a_refused_heartbeat(floor: Floor) -> None:
    floor.broker.refusing = "/health"
    floor.passes(nothing, nothing, floor.alert, nothing)
    assert floor.told() == ["alert-1"]


def test_many_refused_alerts_do_not_hide_the_next_one(floor: Floor) -> None:
    with writing(floor.agent):
        for number in range(IN_FLIGHT + 20):
            outbox.put(floor.agent, topic=f"refused/{number}", payload="{}", now=START)
    floor.broker.refusing = "refused"
    floor.passes(nothing, nothing, nothing, nothing)
    floor.passes(floor.alert, nothing)
    assert floor.told() == ["alert-1"]
    assert outbox.count_unsent(floor.agent) == IN_FLIGHT + 20


def test_no_more_than_a_hundred_messages_are_under_way(floor: Floor) -> None:
    with writing(floor.agent):
        for number in range(IN_FLIGHT + 20):
            outbox.put(floor.agent, topic=f"t/{number}", payload="{}", now=START)
    floor.broker.holding_back = True
    floor.passes(nothing, nothing, nothing)
    assert len(floor.broker.on("t/")) == IN_FLIGHT
    floor.passes(floor.broker.acknowledge_held, nothing, nothing)
    assert len(floor.broker.on("t/")) == IN_FLIGHT + 20


def test_line_states_are_sent_again_after_every_reconnection_each_in_its_newest_version(floor: Floor) -> None:
    topic = topics.line_state(BOX, "01")
    floor.sender.show_state(topic, '{"state":"idle"}')
    floor.sender.show_state(topics.line_state(BOX, "02"), '{"state":"fault"}')
    floor.passes(nothing, lambda: floor.sender.show_state(topic, '{"state":"in_call"}'), nothing)
    floor.broker.taken.clear()
    floor.passes(nothing, floor.broker.come_back, nothing)
    assert [(t, p) for t, p, retained in floor.broker.taken if retained and "/line/" in t] == [
        (topic, '{"state":"in_call"}'),
        (topics.line_state(BOX, "02"), '{"state":"fault"}'),
    ]


def test_a_state_that_changed_while_the_broker_was_away_is_shown_when_it_is_back(floor: Floor) -> None:
    floor.broker.away = True
    floor.sender.show_state(topics.line_state(BOX, "01"), '{"state":"in_call"}')
    floor.passes(nothing, nothing, floor.broker.come_back)
    assert floor.broker.on("/line/") == [{"state": "in_call"}]


def test_the_heartbeat_comes_at_once_and_then_every_ten_seconds(floor: Floor) -> None:
    floor.passes(nothing)
    assert floor.broker.on("/health") == [{"at": START.isoformat(), "unsent": 0, "lines": 8, "faults": 0}]
    floor.passes(*seconds(2 * HEARTBEAT_S))
    assert len(floor.broker.on("/health")) == 3


def test_an_alert_the_disk_did_not_take_goes_out_from_memory(floor: Floor) -> None:
    topic = topics.alert(BOX, "alert-9")
    floor.passes(lambda: floor.sender.send_unstored(topic, '{"alert_id":"alert-9"}'), nothing, nothing)
    assert floor.told() == ["alert-9"]


def test_an_unstored_alert_survives_a_connection_that_breaks_under_it(floor: Floor) -> None:
    floor.sender.send_unstored(topics.alert(BOX, "alert-9"), '{"alert_id":"alert-9"}')
    floor.broker.breaks_at = "alert-9"
    floor.passes(nothing, nothing, floor.broker.come_back, nothing)
    assert floor.told() == ["alert-9"]


def test_the_words_of_an_alert_go_out_apart_from_it_and_people_moving_it_do_not_repeat_them(floor: Floor) -> None:
    floor.passes(
        lambda: floor.alert(1, "ただじゃおかないぞ"),
        lambda: acknowledge(floor.agent, "alert-1", box=BOX, by="sato", now=after(1)),
        nothing,
    )
    assert [set(message) & {"quotes", "telling"} for message in floor.broker.on("/alert/")] == [set(), set()]
    assert [message["quotes"] for message in floor.broker.on("/words/")] == [["ただじゃおかないぞ"]]
    assert floor.broker.expiries == {topics.alert(BOX, "alert-1"): None, topics.words(BOX, "alert-1"): 600} | {
        topics.health(BOX): None
    }


def test_words_that_waited_too_long_for_the_broker_are_not_sent_any_more(floor: Floor) -> None:
    floor.broker.away = True
    floor.passes(lambda: floor.alert(1, "ただじゃおかないぞ"), lambda: floor.clock.move(540), nothing)
    floor.passes(floor.broker.come_back, nothing)
    assert floor.broker.expiries[topics.words(BOX, "alert-1")] == 60
    floor.broker.away = True
    floor.passes(lambda: floor.alert(2, "覚えていろ"), lambda: floor.clock.move(601), nothing)
    floor.passes(floor.broker.come_back, nothing, nothing)
    assert floor.told() == ["alert-1", "alert-2"]
    assert len(floor.broker.on("/words/")) == 1
    assert outbox.count_unsent(floor.agent) == 0


def test_a_panels_acknowledgement_moves_the_incident_and_all_panels_are_told_at_once(floor: Floor) -> None:
    def acknowledges() -> None:
        assert floor.sender.unsent == 0
        floor.clock.move(7)
        floor.broker.receive(topics.receipt(BOX, "alert-1", "panel-1"), '{"kind":"acknowledged","at":"x"}')

    floor.passes(floor.alert, nothing, nothing, acknowledges, nothing)
    incident = incidents.find(floor.agent, "alert-1")
    assert incident.state is IncidentState.ACKNOWLEDGED
    assert (incident.acknowledged.by, incident.acknowledged.at) == ("panel:panel-1", after(7))
    assert [message["incident_state"] for message in floor.broker.on("/alert/")] == ["open", "acknowledged"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (topics.receipt(BOX, "alert-1", "panel-1"), "no json"),
        (topics.receipt(BOX, "alert-1", "panel-1"), "[1]"),
        (topics.receipt(BOX, "alert-1", "panel-1"), "{}"),
        (topics.receipt(BOX, "alert-1", "panel-1"), '{"kind":"exploded"}'),
        (topics.receipt(BOX, "alert-7", "panel-1"), '{"kind":"acknowledged"}'),
        (topics.receipt(BOX, "alert-1", "panel-1") + "/more", '{"kind":"acknowledged"}'),
        ("other/box/ack/alert-1/panel-1", '{"kind":"acknowledged"}'),
    ],
)
def test_what_no_panel_should_send_changes_nothing(floor: Floor, topic: str, payload: str) -> None:
    floor.passes(floor.alert, lambda: floor.broker.receive(topic, payload), nothing)
    assert incidents.find(floor.agent, "alert-1").state is IncidentState.OPEN
    assert receipts.of(floor.agent, "alert-1") == []
    assert floor.told() == ["alert-1"]


def test_receipts_and_confirmations_that_come_while_the_disk_is_full_are_kept_for_later(floor: Floor) -> None:
    topic = topics.receipt(BOX, "alert-1", "panel-1")
    floor.alert()

    def disk(*, full: bool) -> None:
        floor.senders_own.conn.execute(f"PRAGMA query_only={'ON' if full else 'OFF'}")

    def receive() -> None:
        floor.broker.receive(topic, '{"kind":"acknowledged"}')
        floor.clock.move(60)

    floor.passes(
        lambda: disk(full=True),
        receive,
        *seconds(3 * STORE_WAIT_S),
        lambda: disk(full=False),
        *seconds(STORE_WAIT_S),
        nothing,
    )
    assert floor.broker.on("/alert/")[0]["incident_state"] == "open"
    assert len(floor.broker.on("/alert/")) == 2
    assert outbox.count_unsent(floor.agent) == 0
    assert incidents.find(floor.agent, "alert-1").acknowledged.at == after(60)
    assert [entry.action for entry in audit.entries(floor.agent)] == ["incident.opened", "incident.acknowledged"]


def test_an_outbox_that_cannot_be_read_for_a_while_delays_and_loses_nothing(floor: Floor) -> None:
    def rename(old: str, new: str) -> None:
        floor.agent.conn.execute(f"ALTER TABLE {old} RENAME TO {new}")

    floor.alert()
    floor.passes(lambda: rename("outbox", "gone"), *seconds(STORE_WAIT_S / 2), lambda: rename("gone", "outbox"))
    assert floor.told() == []
    floor.passes(*seconds(STORE_WAIT_S))
    assert floor.told() == ["alert-1"]
