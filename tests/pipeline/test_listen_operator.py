"""The operator's side is heard in larger pieces than the customer's, and none of it is lost by that."""

from __future__ import annotations

from edge_agent.domain.call import Speaker
from edge_agent.pipeline.events import CallEnded
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
