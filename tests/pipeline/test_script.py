"""A scripted call is measured by what stands, not by what was withdrawn."""

from __future__ import annotations

from dataclasses import replace

from edge_agent.domain.alert import AlertChange
from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label
from edge_agent.pipeline.events import AlertRaised
from edge_agent.pipeline.script import outcome, play
from edge_agent.services.scripts import CallKind, Script, Turn
from tests.builders import a_policy, an_alert
from tests.fakes import ScriptedClassifier

SCRIPT = Script(
    call_id="s1", kind=CallKind.HARASSING, types=(Label.THREAT,), register="plain", age="50s", first=0, turns=()
)


def test_a_withdrawn_alert_is_none() -> None:
    suspected = an_alert(tentative=True)
    events = [AlertRaised(alert=suspected), AlertRaised(alert=suspected.withdraw(at_s=14))]
    judged = outcome(SCRIPT, events, deadline_s=20.0)
    assert (judged.alerted, judged.types, judged.late) == (False, frozenset(), False)


def test_a_confirmed_alert_counts_from_its_first_moment_with_the_types_confirmed() -> None:
    suspected = an_alert(tentative=True, at_s=12.5, types=(Label.SEXUAL,))
    confirmed = replace(
        suspected, change=AlertChange.UPDATE, revision=2, at_s=14.0, tentative=False, types=(Label.THREAT,)
    )
    judged = outcome(SCRIPT, [AlertRaised(alert=suspected), AlertRaised(alert=confirmed)], deadline_s=13.0)
    assert (judged.alerted, judged.types, judged.late) == (True, frozenset({"threat"}), False)
    assert judged.right


def test_a_script_is_judged_as_if_its_words_were_heard_without_an_error() -> None:
    turns = (
        Turn(speaker=Speaker.OPERATOR, text="そうおっしゃいましても"),
        Turn(speaker=Speaker.CUSTOMER, text="お前を殺すぞ"),
    )
    script = replace(SCRIPT, first=1, turns=turns)
    judged = play(script, ScriptedClassifier({"お前を殺すぞ": {Label.THREAT: 0.95}}), a_policy())
    assert judged.right
    assert not judged.late
