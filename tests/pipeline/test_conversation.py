"""What is asked of the classifier, and what becomes of words while they are spoken."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from edge_agent.domain.alert import AlertChange
from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label, Scores
from edge_agent.pipeline.conversation import Conversation
from edge_agent.pipeline.events import AlertRaised, Event, Scored, Warned
from edge_agent.pipeline.voice import Words
from edge_agent.ports import RATE
from tests.builders import FINAL_ANSWER, MODEL, WARNING, a_policy, scored
from tests.fakes import ScriptedClassifier

ANSWERS: Mapping[str, dict[Label, float]] = {
    "お前を殺すぞ": {Label.THREAT: 0.95},
    "お前を殺すぞって言われた": {Label.THREAT: 0.9, Label.COMPLAINT: 0.9},
    "お前の家": {Label.THREAT: 0.3},
    "知ってるからな": {Label.THREAT: 0.4},
    "お前の家知ってるからな": {Label.THREAT: 0.9},
    "お前の家って言われた知ってるからな": {Label.THREAT: 0.9},
    "馬鹿野郎": {Label.ABUSE: 0.6},
    "馬鹿野郎はい": {Label.ABUSE: 0.8},
    "馬鹿野郎ふうん": {Label.ABUSE: 0.8},
    "ふうん": {Label.ABUSE: 0.3},
    "弁護士に訴えるぞ": {Label.THREAT: 0.9},
}


class Talk:
    """A conversation, said word by word."""

    def __init__(self, classifier: ScriptedClassifier | None = None) -> None:
        self.classifier = classifier or ScriptedClassifier(ANSWERS)
        numbers = count(1)
        self.call = Conversation(
            call_id="call-1",
            seat="01",
            origin=0,
            classifier=self.classifier,
            policy=a_policy(),
            new_id=lambda: f"alert-{next(numbers)}",
        )
        self.events: list[Event] = []

    def say(
        self, text: str, *, at_s: float, number: int, final: bool = True, speaker: Speaker = Speaker.CUSTOMER
    ) -> Talk:
        words = Words(number=number, start=int((at_s - 1) * RATE), end=int(at_s * RATE), text=text, final=final)
        self.events += self.call.say(speaker, words)
        return self

    def end(self) -> Talk:
        self.events += self.call.end(duration_s=60)
        return self

    @property
    def alerts(self) -> list[tuple[str, AlertChange, bool, bool]]:
        told = [event.alert for event in self.events if isinstance(event, AlertRaised)]
        return [(alert.alert_id, alert.change, alert.tentative, alert.withdrawn) for alert in told]


def test_a_threat_is_told_while_it_is_spoken_and_confirmed_when_it_was() -> None:
    talk = Talk().say("お前を殺", at_s=1, number=0, final=False).say("お前を殺すぞ", at_s=1.5, number=0, final=False)
    assert talk.alerts == [("alert-1", AlertChange.NEW, True, False)]
    talk.say("お前を殺すぞ", at_s=2, number=0).end()
    assert talk.alerts[1:] == [
        ("alert-1", AlertChange.UPDATE, False, False),
        ("alert-1", AlertChange.END, False, False),
    ]


def test_a_threat_that_turns_out_to_be_quoted_is_withdrawn_and_the_complaint_about_it_heard() -> None:
    talk = Talk().say("お前を殺", at_s=1, number=0, final=False).say("お前を殺すぞ", at_s=1.5, number=0, final=False)
    talk.say("お前を殺すぞって言われた", at_s=3, number=0)
    assert talk.alerts == [
        ("alert-1", AlertChange.NEW, True, False),
        ("alert-1", AlertChange.END, True, True),
    ]
    talk.say("お前を殺すぞ", at_s=9, number=1).end()
    assert talk.alerts[2:] == [
        ("alert-2", AlertChange.NEW, False, False),
        ("alert-2", AlertChange.END, False, False),
    ]


def test_words_under_way_are_asked_about_rarely_and_only_when_they_have_changed() -> None:
    talk = Talk()
    said = "荷物がまだ届かないんですけどいつになりますか"
    for tenth in range(1, len(said) + 1):
        talk.say(said[:tenth], at_s=1 + tenth * 0.1, number=0, final=False)
    assert talk.classifier.asked == [said[:5], said[:11], said[:17]]
    talk.say(said[:17], at_s=9, number=0, final=False)
    assert len(talk.classifier.asked) == 3


def test_words_that_recognition_takes_back_are_not_asked_about() -> None:
    talk = Talk().say("お前の顔が", at_s=1, number=0, final=False).say("お前を殺すぞ", at_s=1.2, number=0, final=False)
    assert talk.classifier.asked == []
    assert talk.alerts == []


def test_an_operators_words_under_way_are_never_asked_about() -> None:
    talk = Talk()
    for text in ("お前を殺", "お前を殺すぞ"):
        talk.say(text, at_s=1, number=0, final=False, speaker=Speaker.OPERATOR)
    talk.say("お前を殺すぞ", at_s=2, number=0, speaker=Speaker.OPERATOR).end()
    assert talk.alerts == []
    assert talk.classifier.asked == ["お前を殺すぞ"], "once, for what the final words reply"


def test_a_vague_line_is_judged_with_the_one_before_it() -> None:
    talk = Talk().say("お前の家", at_s=2, number=0).say("知ってるからな", at_s=6, number=1)
    assert talk.alerts == [("alert-1", AlertChange.NEW, False, False)]


def test_a_vague_line_is_not_judged_with_what_somebody_else_said() -> None:
    talk = Talk().say("お前の家って言われた", at_s=2, number=0).say("知ってるからな", at_s=6, number=1)
    assert talk.alerts == []


def test_a_vague_line_long_after_is_judged_alone() -> None:
    talk = Talk().say("お前の家", at_s=2, number=0).say("知ってるからな", at_s=40, number=1)
    assert talk.alerts == []


def test_neither_a_backchannel_nor_a_vague_word_makes_one_insult_two() -> None:
    talk = Talk().say("馬鹿野郎", at_s=2, number=0).say("はい", at_s=4, number=1).say("ふうん", at_s=6, number=2)
    assert talk.alerts == []
    assert "馬鹿野郎はい" not in talk.classifier.asked


def test_what_is_shown_of_an_utterance_is_the_whole_of_it() -> None:
    talk = Talk().say("お前を殺すぞって言われた", at_s=3, number=0)
    [shown] = [event.scores for event in talk.events if isinstance(event, Scored)]
    assert shown.labels[Label.THREAT] == 0.9


def test_whoever_was_asked_what_happened_may_quote_without_a_verb() -> None:
    talk = Talk(ScriptedClassifier({"お前を殺すぞって": {Label.THREAT: 0.9}}))
    talk.say("何を言われたのですか", at_s=1, number=0, speaker=Speaker.OPERATOR)
    talk.say("お前を殺すぞって", at_s=4, number=1, final=False).say("お前を殺すぞって", at_s=5, number=1)
    talk.say("それでこわくなって", at_s=8, number=2).say("もう電話に出たくないんです", at_s=9, number=3)
    assert talk.alerts == []
    # Two turns later he is no longer taken to tell it.
    assert talk.say("お前を殺すぞって", at_s=12, number=4).alerts == [("alert-1", AlertChange.NEW, False, False)]


def test_a_refusal_ends_the_telling() -> None:
    talk = Talk(ScriptedClassifier({"お前を殺すぞって": {Label.THREAT: 0.9}}))
    talk.say("何を言われたのですか", at_s=1, number=0, speaker=Speaker.OPERATOR)
    talk.say(FINAL_ANSWER, at_s=3, number=1, speaker=Speaker.OPERATOR).say("お前を殺すぞって", at_s=5, number=2)
    assert talk.alerts == [("alert-1", AlertChange.NEW, False, False)]


def test_a_harmless_quotation_begins_no_telling_and_a_harassing_one_does() -> None:
    scores = {"お前を殺すぞって": {Label.THREAT: 0.9}, "死ねと言われました": {Label.THREAT: 0.9}}
    talk = Talk(ScriptedClassifier(scores)).say("返金すると言われました", at_s=2, number=0)
    assert talk.say("お前を殺すぞって", at_s=5, number=1).alerts == [("alert-1", AlertChange.NEW, False, False)]
    told = Talk(ScriptedClassifier(scores)).say("死ねと言われました", at_s=2, number=0)
    assert told.say("お前を殺すぞって", at_s=5, number=1).alerts == []


def test_fillers_use_no_telling_up() -> None:
    talk = Talk(ScriptedClassifier({"お前を殺すぞって": {Label.THREAT: 0.9}}))
    talk.say("何を言われたのですか", at_s=1, number=0, speaker=Speaker.OPERATOR)
    talk.say("ええと", at_s=3, number=1).say("あの", at_s=4, number=2).say("お前を殺すぞって", at_s=6, number=3)
    assert talk.alerts == []


def test_whoever_was_not_asked_is_taken_at_his_word() -> None:
    talk = Talk(ScriptedClassifier({"お前を殺すぞって": {Label.THREAT: 0.9}})).say("お前を殺すぞって", at_s=2, number=0)
    assert talk.alerts == [("alert-1", AlertChange.NEW, False, False)]


def test_naming_a_lawyer_and_a_court_raises_nothing() -> None:
    assert Talk().say("弁護士に訴えるぞ", at_s=3, number=0).end().alerts == []


class MeaningClassifier(ScriptedClassifier):
    """Gives every text the same meaning, and takes it for a final answer if an operator says it."""

    def classify(self, text: str) -> Scores:
        self.asked.append(text)
        return scored({Label.COMPLAINT: 0.9, Label.THREAT: 0.0}, (1.0, 0.0), refusal=0.9, final_answer=0.9)


def test_an_operators_final_words_are_asked_about_for_what_they_reply_and_never_judged() -> None:
    talk = Talk(MeaningClassifier({})).say("返金してください", at_s=2, number=0)
    talk.say("もうこちらから申し上げることはないんです", at_s=4, number=1, speaker=Speaker.OPERATOR)
    for number, text in enumerate(["お金を戻して", "返してほしいんです", "返金はまだですか"], start=2):
        talk.say(text, at_s=5.0 * number, number=number)
    told = [event.alert for event in talk.events if isinstance(event, AlertRaised)]
    assert [(alert.criterion, alert.types, alert.model_version) for alert in told] == [
        ("repeat", (Label.DETENTION,), MODEL)
    ]


def test_final_words_that_were_looked_at_while_they_were_said_are_not_asked_about_again() -> None:
    talk = (
        Talk().say("荷物がまだ", at_s=1, number=0, final=False).say("荷物がまだ届かない", at_s=2, number=0, final=False)
    )
    talk.say("荷物がまだ届かない", at_s=3, number=0)
    assert talk.classifier.asked == ["荷物がまだ届かない"]


def test_of_words_that_were_under_way_nothing_is_kept_when_a_pause_begins() -> None:
    talk = Talk().say("番号は四二", at_s=1, number=0, final=False).say("番号は四二五", at_s=2, number=0, final=False)
    talk.call.forget_under_way()
    talk.say("番号は四二五", at_s=3, number=0)
    assert talk.classifier.asked == ["番号は四二五"] * 2


def test_an_alert_that_goes_on_does_not_ask_again_which_words_carried_it() -> None:
    talk = Talk().say("お前を殺すぞ", at_s=2, number=0)
    assert talk.classifier.asked == ["お前を殺すぞ", "殺すぞ", "お前を"]
    talk.say(WARNING, at_s=5, number=1, speaker=Speaker.OPERATOR).say("お前を殺すぞ", at_s=8, number=2)
    assert talk.alerts[1:] == [("alert-1", AlertChange.UPDATE, False, False)]
    assert talk.classifier.asked.count("殺すぞ") == 1


def test_a_warning_is_told_of_once_by_the_operators_final_words() -> None:
    talk = Talk().say(WARNING, at_s=3, number=1, final=False, speaker=Speaker.OPERATOR)
    assert not [event for event in talk.events if isinstance(event, Warned)]
    talk.say(WARNING, at_s=4, number=1, speaker=Speaker.OPERATOR).say("はい", at_s=6, number=2)
    assert [event.at_s for event in talk.events if isinstance(event, Warned)] == [4.0]


def test_an_operators_backchannels_are_not_asked_about() -> None:
    talk = Talk(MeaningClassifier({}))
    talk.say("はい", at_s=1, number=0, speaker=Speaker.OPERATOR)
    talk.say("そうおっしゃいましても", at_s=3, number=1, speaker=Speaker.OPERATOR)
    assert talk.classifier.asked == ["そうおっしゃいましても"]
