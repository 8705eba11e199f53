"""The operator's side is heard in larger pieces than the customer's, and none of it is lost by that."""

from __future__ import annotations

import numpy as np

from edge_agent.domain.call import Speaker
from edge_agent.domain.overload import Stage
from edge_agent.pipeline.events import CallEnded
from edge_agent.pipeline.gathered import AT_ONCE
from edge_agent.ports import RATE, AudioBlock
from tests.builders import WARNING
from tests.fakes import ScriptedModel, Seconds, SlowModel
from tests.pipeline.test_listen import HELLO, PHRASES, WARN, a_listener, finals, of, play, silence, speech, track


def test_the_operators_words_under_way_are_looked_at_less_often_than_the_customers() -> None:
    asked = {}
    for speaker in Speaker:
        model = SlowModel(ScriptedModel(*PHRASES), Seconds(), factor=0.0)
        sides = [speech(HELLO, 10) if side is speaker else silence(10) for side in Speaker]
        play(a_listener(model=model), *sides)
        asked[speaker] = model.partials
    assert 0 < asked[Speaker.OPERATOR] <= asked[Speaker.CUSTOMER] / 4


def test_no_call_ends_while_an_operators_first_word_is_still_gathered() -> None:
    listener = a_listener()
    # The word begins in the last 100 ms of the silence that would end the call.
    events = play(listener, speech(HELLO, 1), track(silence(1 + 7.93), speech(WARN, 2), silence(1)))
    assert of(CallEnded, events) == []
    assert [said.text for said in finals(events)] == ["もしもし", WARNING]
    assert len({said.call_id for said in finals(events)}) == 1


def test_what_an_operator_says_last_is_heard_before_the_call_ends() -> None:
    listener = a_listener(whole=True)
    events = [*play(listener, silence(1.1), track(silence(0.5), speech(WARN, 0.6))), *listener.finish()]
    assert [said.text for said in finals(events)] == [WARNING]


def test_a_call_ends_in_time_on_an_overloaded_box_although_much_of_the_operator_is_still_to_be_heard() -> None:
    listener = a_listener(stage=lambda: Stage.OPERATOR_LATER)
    call = track(speech(HELLO, 2), silence(11))
    operator = track(silence(2), speech(WARN, 2), silence(9))
    sides = (np.concatenate([side, side])[: 18 * RATE] for side in (call, operator))
    events = play(listener, *sides)
    assert len(of(CallEnded, events)) == 1
    [first, second] = dict.fromkeys(said.call_id for said in finals(events))
    assert [said.text for said in finals(events) if said.call_id == first] == ["もしもし", WARNING]
    assert [said.text for said in finals(events) if said.call_id == second] == ["もしもし"]
    assert [said.text for said in finals(listener.finish())] == [WARNING]


def test_a_call_goes_on_while_an_operator_speaks_who_is_far_quieter_than_the_loudest() -> None:
    listener = a_listener(phrases=tuple(f"{n}" for n in range(1, 101)), stage=lambda: Stage.OPERATOR_LATER)
    customer = track(speech(2, 2), silence(18))
    # A knock, and from 9.72 s on a voice 40 dB below it: before it both sides are still for 8 s, by loudness.
    operator = track(speech(100, 1), silence(8.72), speech(1, 10.28))
    first = round((10 - AT_ONCE / RATE - 0.3) * RATE)
    events = play(listener, customer[:first], operator[:first])
    events += listener.catch_up(30 * RATE)
    events += play(listener, customer[first:], operator[first:])
    assert of(CallEnded, events) == []


def test_where_the_network_tells_when_a_call_ends_its_silence_hurries_nobody() -> None:
    listener = a_listener(stage=lambda: Stage.OPERATOR_LATER)
    for _ in range(200):
        listener.feed(AudioBlock(customer=silence(0.1), operator=silence(0.1), in_call=True))
    assert listener.later == 20 * RATE
