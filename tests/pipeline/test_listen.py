"""A line is listened to: calls begin and end, words keep their time, alerts are raised once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest

from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.call import Speaker, Utterance
from edge_agent.domain.finding import Label
from edge_agent.pipeline.events import (
    AlertRaised,
    CallEnded,
    CallStarted,
    ComplaintHeard,
    Event,
    Heard,
    Scored,
    Silenced,
)
from edge_agent.pipeline.listen import LineListener
from edge_agent.pipeline.overload import Stage
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings import Settings
from edge_agent.settings_listening import Vad
from tests.builders import WARNING, a_policy
from tests.fakes import LoudnessDetector, ScriptedClassifier, ScriptedModel, ScriptedRecognizer, SlowModel

if TYPE_CHECKING:
    from edge_agent.ports import Samples

T = TypeVar("T")

HELLO, THREAT, ABUSE, DESPAIR, COMPLAINT, WARN = range(1, 7)
PHRASES = ("もしもし", "殺すぞ", "馬鹿野郎", "もう死にたい", "届いた皿が割れていた", WARNING)
ANSWERS = {
    "殺すぞ": {Label.THREAT: 0.9},
    "馬鹿野郎": {Label.ABUSE: 0.95},
    "役立たず": {Label.ABUSE: 0.6},
    "もう死にたい": {Label.LIFE_SAFETY: 0.9},
    "届いた皿が割れていた": {Label.COMPLAINT: 0.8},
}
TOLERANCE_S = 0.04
"""A frame of the voice detector."""


def speech(phrase: int, seconds: float) -> Samples:
    return np.full(round(seconds * RATE), phrase, np.int16)


def silence(seconds: float) -> Samples:
    return speech(0, seconds)


def track(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def a_listener(
    *,
    whole: bool = False,
    phrases: tuple[str, ...] = PHRASES,
    endpoint_s: float = 3600.0,
    settings: Settings | None = None,
    stage: Callable[[], Stage] = lambda: Stage.NORMAL,
    model: ScriptedModel | SlowModel | None = None,
) -> LineListener:
    numbers = count(1)
    return LineListener(
        "01",
        model or ScriptedModel(*phrases, endpoint_s=endpoint_s),
        LoudnessDetector,
        ScriptedClassifier(ANSWERS),
        a_policy(),
        settings or Settings(),
        lambda: f"id-{next(numbers)}",
        whole_source_is_one_call=whole,
        stage=stage,
    )


def play(listener: LineListener, customer: Samples, operator: Samples | None = None) -> list[Event]:
    """Give the listener both sides in blocks of 100 ms; the shorter side is silent at the end."""
    other = np.empty(0, np.int16) if operator is None else operator
    length = max(len(customer), len(other))
    both = [np.concatenate((side, np.zeros(length - len(side), np.int16))) for side in (customer, other)]
    events: list[Event] = []
    for at in range(0, length, RATE // 10):
        block = [side[at : at + RATE // 10] for side in both]
        events += listener.feed(AudioBlock(customer=block[0], operator=None if operator is None else block[1]))
    return events


def finals(events: list[Event]) -> list[Utterance]:
    return [event.utterance for event in events if isinstance(event, Heard) and event.utterance.final]


def of(kind: type[T], events: list[Event]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def test_a_silent_line_has_no_call() -> None:
    listener = a_listener()
    assert play(listener, silence(20), silence(20)) == []
    assert not listener.in_call
    assert listener.finish() == []


def test_a_short_noise_starts_no_call() -> None:
    assert play(a_listener(), track(silence(1), speech(HELLO, 0.2), silence(5)), silence(1)) == []


def test_a_call_starts_where_its_first_speech_began_and_ends_after_the_agreed_silence() -> None:
    listener = a_listener()
    events = play(listener, track(silence(5), speech(HELLO, 1), silence(9)), silence(1))
    started, ended = of(CallStarted, events)[0], of(CallEnded, events)[0]
    assert (started.call_id, started.seat) == ("id-1", "01")
    assert started.started_s_ago == pytest.approx(0.4 + 0.3, abs=0.15)  # lead-in and the speech that it took
    # The call begins with the lead-in of 0.4 s before the first speech.
    assert finals(events)[0].start_s == pytest.approx(0.4, abs=TOLERANCE_S)
    assert finals(events)[0].end_s == pytest.approx(1.4, abs=TOLERANCE_S)
    assert ended.duration_s == pytest.approx(1.4, abs=TOLERANCE_S)
    assert not listener.in_call


def test_a_second_call_on_the_line_is_a_new_one_that_begins_at_zero() -> None:
    once = track(silence(5), speech(HELLO, 1), silence(9))
    events = play(a_listener(), track(once, once), silence(1))
    assert [event.call_id for event in of(CallStarted, events)] == ["id-1", "id-2"]
    first, second = finals(events)
    assert (second.sequence, second.call_id) == (0, "id-2")
    assert second.start_s == pytest.approx(first.start_s, abs=2 * TOLERANCE_S)


def test_words_keep_the_time_of_the_call_although_silence_is_not_recognised() -> None:
    customer = track(silence(2), speech(HELLO, 1), silence(10), speech(THREAT, 2), silence(4), speech(ABUSE, 1.5))
    listener = a_listener(whole=True)
    utterances = finals([*play(listener, customer), *listener.finish()])
    assert [utterance.text for utterance in utterances] == ["もしもし", "殺すぞ", "馬鹿野郎"]
    for utterance, (start, end) in zip(utterances, ((2, 3), (13, 15), (19, 20.5)), strict=True):
        assert utterance.start_s == pytest.approx(start, abs=TOLERANCE_S)
        assert utterance.end_s == pytest.approx(end, abs=TOLERANCE_S)


def test_words_after_lost_audio_are_dated_where_they_were_said() -> None:
    listener = a_listener(whole=True)
    events = play(listener, track(silence(1), speech(HELLO, 1)))
    events += listener.feed(AudioBlock(customer=speech(THREAT, 0.1), operator=None, dropped=50))
    events += play(listener, track(speech(THREAT, 0.9), silence(2)))
    events += listener.finish()
    (utterance,) = finals(events)
    assert utterance.text == "もしもし殺すぞ"  # speech on both sides of the gap: one utterance
    assert utterance.start_s == pytest.approx(1, abs=TOLERANCE_S)
    assert utterance.end_s == pytest.approx(2 + 5 + 1, abs=TOLERANCE_S)
    assert of(CallEnded, events)[0].dropped == 50


def test_words_before_lost_audio_are_dated_before_it() -> None:
    settings = Settings(vad=Vad(hangover_ms=0, preroll_ms=32))
    listener = a_listener(whole=True, settings=settings)
    events = listener.feed(AudioBlock(customer=speech(HELLO, 3.2), operator=None))  # 100 whole frames
    events += listener.feed(AudioBlock(customer=silence(1.6), operator=None, dropped=50))
    (utterance,) = finals(events)
    assert utterance.end_s == pytest.approx(3.2, abs=TOLERANCE_S)


def test_short_pauses_do_not_end_an_utterance() -> None:
    said = track(*[track(speech(HELLO, 0.5), silence(0.5)) for _ in range(4)], silence(1))
    assert len(finals(play(a_listener(whole=True), said))) == 1


def test_an_utterance_ends_where_the_recogniser_says_so_although_the_line_is_noisy() -> None:
    # The recogniser's own endpoint comes within what it is given of the silence.
    settings = Settings(vad=Vad(hangover_ms=3000))
    listener = a_listener(whole=True, endpoint_s=0.2, settings=settings)
    events = play(listener, track(speech(HELLO, 1), silence(1), speech(THREAT, 1), silence(1)))
    assert [(u.sequence, u.text) for u in finals(events)] == [(0, "もしもし"), (1, "殺すぞ")]
    assert finals(events)[1].start_s == pytest.approx(2, abs=TOLERANCE_S)


def test_a_recogniser_that_has_heard_a_minute_without_a_pause_is_replaced_and_words_keep_their_times() -> None:
    made: list[ScriptedRecognizer] = []

    class Counting(ScriptedModel):
        def recognizer(self) -> ScriptedRecognizer:
            made.append(super().recognizer())
            return made[-1]

    # The voice never pauses for as long as ends a stretch of speech, the recogniser ends its utterances all the same.
    listener = a_listener(
        whole=True, settings=Settings(vad=Vad(hangover_ms=3000)), model=Counting(*PHRASES, endpoint_s=0.2)
    )
    said = [track(speech(phrase, 9), silence(1)) for phrase in (HELLO, THREAT, ABUSE, HELLO, THREAT, ABUSE, DESPAIR)]
    heard = finals(play(listener, track(*said)))
    assert len(made) == 2
    assert [u.text for u in heard] == [PHRASES[n - 1] for n in (1, 2, 3, 1, 2, 3, 4)]
    assert [u.start_s for u in heard] == pytest.approx([10.0 * n for n in range(7)], abs=0.3)


def test_words_are_shown_while_they_are_spoken_but_only_when_they_change() -> None:
    listener = a_listener(whole=True)
    events = play(listener, track(speech(HELLO, 1), speech(THREAT, 1), silence(1)))
    partials = [e.utterance for e in of(Heard, events) if not e.utterance.final]
    assert [(p.sequence, p.text) for p in partials] == [(0, "もしもし"), (0, "もしもし殺すぞ")]
    assert [(f.sequence, f.text) for f in finals(events)] == [(0, "もしもし殺すぞ")]
    assert partials[0].end_s <= 0.5


def test_utterances_of_both_sides_are_numbered_in_the_order_they_were_begun() -> None:
    customer = track(silence(1), speech(HELLO, 4), silence(2), speech(ABUSE, 1), silence(3))
    operator = track(silence(2), speech(WARN, 1), silence(6))
    listener = a_listener(whole=True)
    events = play(listener, customer, operator)
    order = sorted((u.sequence, u.speaker, u.text) for u in finals(events))
    assert order == [
        (0, Speaker.CUSTOMER, "もしもし"),
        (1, Speaker.OPERATOR, WARNING),
        (2, Speaker.CUSTOMER, "馬鹿野郎"),
    ]


def test_noise_without_words_is_no_utterance_and_leaves_no_gap_in_the_numbers() -> None:
    events = play(
        a_listener(whole=True, phrases=("", "殺すぞ")),
        track(speech(1, 1), silence(2), speech(2, 1), silence(2)),
    )
    assert [(u.sequence, u.text) for u in finals(events)] == [(0, "殺すぞ")]


def test_a_threat_raises_an_alert_that_ends_with_the_call() -> None:
    listener = a_listener()
    events = play(listener, track(silence(1), speech(HELLO, 1), silence(2), speech(THREAT, 1), silence(9)), silence(1))
    new, end = (event.alert for event in of(AlertRaised, events))
    assert (new.change, new.kind, new.types, new.revision) == (
        AlertChange.NEW,
        AlertKind.HARASSMENT,
        (Label.THREAT,),
        1,
    )
    assert new.quotes == ("殺すぞ",)
    assert new.at_s == pytest.approx(0.4 + 1 + 2 + 1, abs=TOLERANCE_S)
    assert (end.change, end.alert_id, end.revision) == (AlertChange.END, new.alert_id, 2)
    assert isinstance(events[-1], CallEnded)


def test_an_alert_comes_within_the_hangover_after_the_telling_words() -> None:
    listener = a_listener()
    play(listener, track(silence(1), speech(THREAT, 1)), silence(2))
    assert of(AlertRaised, play(listener, silence(0.4))) == []
    assert len(of(AlertRaised, play(listener, silence(0.3)))) == 1


def test_a_graver_word_updates_the_alert_instead_of_raising_another() -> None:
    said = track(speech(ABUSE, 1), silence(2), speech(THREAT, 1), silence(2), speech(THREAT, 1), silence(2))
    listener = a_listener(whole=True)
    alerts = [event.alert for event in of(AlertRaised, [*play(listener, said), *listener.finish()])]
    assert [alert.change for alert in alerts] == [AlertChange.NEW, AlertChange.UPDATE, AlertChange.END]
    assert {alert.alert_id for alert in alerts} == {alerts[0].alert_id}
    assert set(alerts[1].types) == {Label.ABUSE, Label.THREAT}


def test_a_life_in_danger_ends_the_harassment_alert_and_silences_it_for_the_call() -> None:
    said = track(speech(THREAT, 1), silence(2), speech(DESPAIR, 1), silence(2), speech(ABUSE, 1), silence(2))
    listener = a_listener(whole=True)
    alerts = [event.alert for event in of(AlertRaised, [*play(listener, said), *listener.finish()])]
    assert [(alert.kind, alert.change) for alert in alerts] == [
        (AlertKind.HARASSMENT, AlertChange.NEW),
        (AlertKind.HARASSMENT, AlertChange.END),
        (AlertKind.LIFE_SAFETY, AlertChange.NEW),
        (AlertKind.LIFE_SAFETY, AlertChange.END),
    ]


def test_the_operators_words_raise_nothing_but_their_warnings_count() -> None:
    customer = track(speech(THREAT, 1), silence(6))
    operator = track(silence(3), speech(WARN, 1), silence(1.5), speech(THREAT, 1), silence(2))
    listener = a_listener(whole=True)
    events = [*play(listener, customer, operator), *listener.finish()]
    assert [event.alert.warnings for event in of(AlertRaised, events)] == [0, 1]
    assert [event.utterance.speaker for event in of(Scored, events)] == [Speaker.CUSTOMER]


def test_a_complaint_is_told_once_and_raises_no_alert() -> None:
    said = track(speech(COMPLAINT, 1), silence(2), speech(COMPLAINT, 1), silence(2))
    listener = a_listener(whole=True)
    events = [*play(listener, said), *listener.finish()]
    assert [event.at_s for event in of(ComplaintHeard, events)] == [pytest.approx(1, abs=TOLERANCE_S)]
    assert of(AlertRaised, events) == []


def test_a_file_is_one_call_however_long_it_is_silent() -> None:
    listener = a_listener(whole=True)
    events = [*play(listener, track(silence(30), speech(HELLO, 1), silence(30))), *listener.finish()]
    assert len(of(CallStarted, events)) == 1
    assert [event.duration_s for event in of(CallEnded, events)] == [61.0]
    assert finals(events)[0].start_s == pytest.approx(30, abs=TOLERANCE_S)


def test_what_is_being_said_when_the_source_ends_is_not_lost() -> None:
    listener = a_listener(whole=True)
    play(listener, speech(THREAT, 1))
    events = listener.finish()
    assert [utterance.text for utterance in finals(events)] == ["殺すぞ"]
    assert [event.alert.change for event in of(AlertRaised, events)] == [AlertChange.NEW, AlertChange.END]


def test_the_line_says_how_loud_its_sides_are() -> None:
    listener = a_listener()
    tone = np.full(RATE // 10, 16384, np.int16)
    listener.feed(AudioBlock(customer=tone, operator=np.zeros(RATE // 10, np.int16)))
    assert listener.levels_dbfs == (pytest.approx(-6.02, abs=0.01), -120.0)


LONG_THREAT = ("今からそっちに行って", "ぶん殴ってやる")


def a_talker(answers: dict[str, dict[Label, float]]) -> LineListener:
    numbers = count(1)
    return LineListener(
        "01",
        ScriptedModel(*LONG_THREAT),
        LoudnessDetector,
        ScriptedClassifier(answers),
        a_policy(),
        Settings(),
        lambda: f"id-{next(numbers)}",
        whole_source_is_one_call=True,
    )


def test_a_threat_is_told_before_its_utterance_has_ended() -> None:
    whole = "".join(LONG_THREAT)
    listener = a_talker({LONG_THREAT[0]: {Label.THREAT: 0.4}, whole: {Label.THREAT: 0.95}})
    spoken = play(listener, track(speech(1, 1.5), speech(2, 1.5)))
    [tentative] = [event.alert for event in of(AlertRaised, spoken)]
    assert (tentative.change, tentative.tentative, tentative.quotes) == (AlertChange.NEW, True, (whole,))
    assert tentative.at_s < 3
    rest = [event.alert for event in of(AlertRaised, [*play(listener, silence(2)), *listener.finish()])]
    assert [(a.change, a.tentative, a.withdrawn) for a in rest] == [
        (AlertChange.UPDATE, False, False),
        (AlertChange.END, False, False),
    ]


def test_words_under_way_are_dated_to_the_speech_they_were_heard_in() -> None:
    listener = a_talker({})
    events = play(listener, track(speech(1, 1), silence(0.5)))
    partials = [event.utterance for event in of(Heard, events) if not event.utterance.final]
    assert partials
    assert all(partial.end_s <= 1 + TOLERANCE_S for partial in partials)


class TwoModels:
    """A speech model that can be changed for another while lines are open."""

    def __init__(self) -> None:
        self.now = ScriptedModel("古いモデル")
        self.now.model_version = "old 1"
        self.made = 0

    @property
    def model_version(self) -> str:
        return self.now.model_version

    def recognizer(self) -> ScriptedRecognizer:
        return self.now.recognizer()

    def in_use(self) -> ScriptedModel:
        self.made += 1
        return self.now

    def change(self) -> None:
        self.now = ScriptedModel("新しいモデル")
        self.now.model_version = "new 1"


def test_a_call_ends_on_the_model_it_began_with_and_the_next_one_uses_the_new_model() -> None:
    models, numbers = TwoModels(), count(1)
    listener = LineListener(
        "01",
        models,
        LoudnessDetector,
        ScriptedClassifier({}),
        a_policy(),
        Settings(),
        lambda: f"id-{next(numbers)}",
    )
    events = play(listener, track(speech(1, 1), silence(2)))
    models.change()
    events += play(listener, track(speech(1, 1), silence(10)))
    assert [said.text for said in finals(events)] == ["古いモデル", "古いモデル"]
    assert len(of(CallEnded, events)) == 1
    events = play(listener, track(silence(1), speech(1, 1), silence(10)))
    assert [said.text for said in finals(events)] == ["新しいモデル"]
    (said,) = finals(events)
    assert said.end_s - said.start_s == pytest.approx(1, abs=TOLERANCE_S)
    assert models.made == 3  # asked for at first, and after each call


def test_the_model_in_use_is_asked_for_after_every_call() -> None:
    models = TwoModels()
    listener = LineListener(
        "01", models, LoudnessDetector, ScriptedClassifier({}), a_policy(), Settings(), lambda: "id"
    )  # fmt: skip
    for _ in range(3):
        events = play(listener, track(speech(1, 1), silence(10)))
        (said,) = finals(events)
        assert (said.text, said.end_s - said.start_s) == ("古いモデル", pytest.approx(1, abs=TOLERANCE_S))
    assert models.made == 1 + 3


def test_a_model_chosen_while_somebody_starts_to_speak_waits_for_silence() -> None:
    models = TwoModels()
    listener = LineListener(
        "01", models, LoudnessDetector, ScriptedClassifier({}), a_policy(), Settings(), lambda: "id"
    )  # fmt: skip
    play(listener, speech(1, 0.2))
    models.change()
    events = play(listener, track(speech(1, 1), silence(10)))
    assert [said.text for said in finals(events)] == ["古いモデル"]


# --- a source that knows its calls --------------------------------------------------------------------------------


def told(samples: Samples, *, in_call: bool) -> AudioBlock:
    return AudioBlock(customer=samples, operator=np.zeros_like(samples), in_call=in_call)


def test_a_call_the_network_knows_of_starts_before_anybody_speaks_and_outlasts_any_silence() -> None:
    listener = a_listener()
    events = listener.feed(told(silence(0.1), in_call=True))
    assert len(of(CallStarted, events)) == 1
    for _ in range(60):
        events += listener.feed(told(silence(1), in_call=True))
    events += listener.feed(told(speech(HELLO, 1), in_call=True))
    assert len(of(CallStarted, events)) == 1
    assert not of(CallEnded, events)
    assert listener.in_call
    events += listener.feed(told(silence(0.1), in_call=False))
    assert len(of(CallEnded, events)) == 1
    assert [utterance.text for utterance in finals(events)] == ["もしもし"]


def test_speech_outside_the_calls_the_network_knows_of_starts_none() -> None:
    listener = a_listener()
    assert listener.feed(told(speech(HELLO, 3), in_call=False)) == []


def unheard(seconds: float, *, in_call: bool | None = None) -> list[AudioBlock]:
    """Audio of a pause, as the tap passes it on."""
    tenth = silence(0.1)
    one = AudioBlock(customer=tenth, operator=tenth, in_call=in_call, private=True)
    return [one] * round(seconds * 10)


def test_what_was_being_said_when_a_pause_begins_is_never_said() -> None:
    listener = a_listener()
    events = play(listener, track(speech(HELLO, 1), silence(1.5), speech(THREAT, 1)), silence(3.5))
    assert [u.text for u in finals(events)] == ["もしもし"]
    events = [event for block in unheard(3) for event in listener.feed(block)]
    assert events == [Silenced(call_id="id-1")], "said once, and no words"
    events = play(listener, track(silence(1), speech(COMPLAINT, 1), silence(1)), silence(3))
    [complaint] = finals(events)
    assert complaint.text == "届いた皿が割れていた"
    assert complaint.start_s == pytest.approx(7.5, abs=TOLERANCE_S), "the time of the pause counts"


def test_a_pause_longer_than_the_silence_that_ends_a_call_ends_none() -> None:
    listener = a_listener()
    play(listener, track(speech(HELLO, 1), silence(1)), silence(2))
    assert of(CallEnded, [event for block in unheard(60) for event in listener.feed(block)]) == []
    assert listener.in_call
    assert of(CallEnded, play(listener, silence(9), silence(9)))


def test_a_call_the_network_ends_in_a_pause_is_over() -> None:
    listener = a_listener()
    events = [event for block in unheard(1, in_call=True) for event in listener.feed(block)]
    assert len(of(CallStarted, events)) == 1
    [block] = unheard(0.1, in_call=False)
    assert len(of(CallEnded, listener.feed(block))) == 1
