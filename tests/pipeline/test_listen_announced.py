"""Calls that are announced start and end as announced, whatever is heard on their line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_agent.pipeline.events import AlertRaised, CallEnded, CallStarted, Unannounced
from edge_agent.pipeline.overload import Stage
from edge_agent.ports import RATE, Announced, AudioBlock
from edge_agent.settings import Settings
from edge_agent.settings_listening import Calls
from tests.pipeline.test_listen import HELLO, TOLERANCE_S, a_listener, finals, of, play, silence, speech, track

if TYPE_CHECKING:
    from edge_agent.ports import Samples


def announced(samples: Samples, call_id: str, *, ago_s: float = 0.0, private: bool = False) -> AudioBlock:
    return AudioBlock(
        customer=samples,
        operator=np.zeros_like(samples),
        in_call=bool(call_id),
        announced=Announced(call_id=call_id, ago_s=ago_s),
        private=private,
    )


def test_an_announced_call_has_the_id_it_was_announced_with_and_starts_before_anybody_speaks() -> None:
    listener = a_listener()
    [started] = listener.feed(announced(silence(0.1), "told-1", ago_s=2.0))
    assert isinstance(started, CallStarted)
    assert (started.call_id, started.started_s_ago) == ("told-1", pytest.approx(2.1))
    events = listener.feed(announced(track(speech(HELLO, 1), silence(4)), "told-1", ago_s=2.0))
    [hello] = finals(events)
    assert hello.start_s == pytest.approx(2.1, abs=TOLERANCE_S), "seconds of the call, not of the line"


def test_between_announced_calls_voices_start_none_and_silence_within_ends_none() -> None:
    listener = a_listener()
    assert listener.feed(announced(speech(HELLO, 3), "")) == []
    assert listener.feed(announced(silence(4), "")) == []
    events = [event for _ in range(60) for event in listener.feed(announced(silence(1), "told-1"))]
    assert (len(of(CallStarted, events)), of(CallEnded, events)) == (1, [])
    [ended] = of(CallEnded, listener.feed(announced(silence(0.1), "")))
    assert not ended.faded


def test_another_announced_call_ends_the_one_before_and_shares_nothing_with_it() -> None:
    listener = a_listener(phrases=("役立たず",))
    insult = track(speech(1, 1), silence(4))
    assert not of(AlertRaised, listener.feed(announced(insult, "told-0"))), "once is not enough for an alert"
    assert of(AlertRaised, listener.feed(announced(insult, "told-0"))), "twice in one call is"
    listener.feed(announced(insult, "told-1"))
    events = listener.feed(announced(insult, "told-2"))
    assert [event.call_id for event in events if isinstance(event, CallStarted | CallEnded)] == ["told-1", "told-2"]
    assert not of(AlertRaised, events), "what was said in the call before does not count"
    assert [u.call_id for u in finals(events)] == ["told-2"]


def test_a_call_heard_by_its_voices_gives_way_to_an_announced_one() -> None:
    listener = a_listener()
    play(listener, track(speech(HELLO, 1), silence(1)))
    events = listener.feed(announced(silence(0.1), "told-1"))
    assert [(type(event), event.call_id) for event in events if isinstance(event, CallStarted | CallEnded)] == [
        (CallEnded, "id-1"),
        (CallStarted, "told-1"),
    ]


def test_a_call_announced_but_never_ended_fades_once_and_does_not_come_back() -> None:
    listener = a_listener(settings=Settings(calls=Calls(announced_silence_s=30)))
    listener.feed(announced(track(speech(HELLO, 1), silence(1)), "told-1"))
    events = [event for _ in range(31) for event in listener.feed(announced(silence(1), "told-1"))]
    [ended] = of(CallEnded, events)
    assert ended.faded
    assert listener.feed(announced(track(speech(HELLO, 2), silence(4)), "told-1")) == [], (
        "it is announced on for a moment"
    )
    assert len(of(CallStarted, listener.feed(announced(silence(1), "told-2")))) == 1


def test_the_silence_before_a_call_was_announced_does_not_end_it() -> None:
    listener = a_listener(settings=Settings(calls=Calls(announced_silence_s=30)))
    for _ in range(60):
        listener.feed(announced(silence(1), ""))
    events = listener.feed(announced(silence(1), "told-1", ago_s=240))
    assert (len(of(CallStarted, events)), of(CallEnded, events)) == (1, [])


def test_announced_calls_start_and_end_in_a_pause_too() -> None:
    listener = a_listener()
    events = listener.feed(announced(silence(1), "told-1", private=True))
    events += listener.feed(announced(silence(1), "told-2", private=True))
    events += listener.feed(announced(silence(1), "", private=True))
    told = [(type(event), event.call_id) for event in events if isinstance(event, CallStarted | CallEnded)]
    assert told == [(CallStarted, "told-1"), (CallEnded, "told-1"), (CallStarted, "told-2"), (CallEnded, "told-2")]


def test_what_an_operator_says_between_announced_calls_starts_none_when_it_is_heard_later() -> None:
    stages = [Stage.OPERATOR_LATER]
    listener = a_listener(stage=lambda: stages[-1])
    spoken = announced(silence(2), "")
    assert listener.feed(replace(spoken, operator=speech(HELLO, 2))) == []
    assert listener.catch_up(10 * RATE) == []


def talk(seconds: float, *, operator: bool = True, call_id: str = "") -> AudioBlock:
    """Return a block in which both sides speak, or the customer's alone."""
    said = speech(HELLO, seconds)
    return replace(announced(said, call_id), operator=said if operator else np.zeros_like(said))


def test_people_who_talk_although_no_call_was_announced_are_told_of_and_heard_from_then_on() -> None:
    listener = a_listener(settings=Settings(calls=Calls(announced_missed_s=10)))
    assert [event for _ in range(9) for event in listener.feed(talk(1))] == []
    assert listener.feed(talk(1)) == [Unannounced(seat="01")]
    # Announcements have ceased to decide.
    events = listener.feed(replace(talk(1), announced=None, in_call=None))
    assert len(of(CallStarted, events)) == 1


@pytest.mark.parametrize("missed_s", [0, 10])
def test_what_is_said_at_the_desk_or_by_a_recording_is_no_call(missed_s: int) -> None:
    listener = a_listener(settings=Settings(calls=Calls(announced_missed_s=missed_s)))
    assert [event for _ in range(40) for event in listener.feed(talk(1, operator=False))] == []
    at_the_desk = replace(announced(silence(1), ""), operator=speech(HELLO, 1))
    for _ in range(40):
        listener.feed(announced(silence(1), ""))
    assert [event for _ in range(40) for event in listener.feed(at_the_desk)] == []


def test_where_it_was_switched_off_talk_is_never_told_of() -> None:
    listener = a_listener(settings=Settings(calls=Calls(announced_missed_s=0)))
    assert [event for _ in range(60) for event in listener.feed(talk(1))] == []


def test_an_announced_call_ends_like_any_other_when_announcements_cease_to_decide() -> None:
    listener = a_listener()
    listener.feed(talk(1, call_id="told-1"))
    quiet = replace(announced(silence(1), ""), announced=None, in_call=None)
    events = [event for _ in range(9) for event in listener.feed(quiet)]
    [ended] = of(CallEnded, events)
    assert ended.call_id == "told-1"
