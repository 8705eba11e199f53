"""Builders of domain objects: each gives something ordinary, and takes what a test wants to be different."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.call import Speaker, Utterance
from edge_agent.domain.finding import Label, Reply, Scores
from edge_agent.domain.incident import Incident
from edge_agent.domain.policy import (
    Context,
    Criterion,
    EscalationStep,
    Phrase,
    Policy,
    RepeatRule,
    Rights,
    Rise,
    Severity,
    Source,
    Tentative,
    TimeRule,
    TypeName,
)
from edge_agent.errors import Text
from edge_agent.settings import Box

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""When the tests' day begins."""
BOX = Box(site="tokyo", floor="f1", box="box1")
MODEL = "harassment-test 1"
WARNING = "お言葉が続くとご案内できかねます"
"""Words of the test policy's first warning."""
SECOND_WARNING = "続く場合は通話を終了いたします"
REFUSAL = "いたしかねます"
FINAL_ANSWER = "そのご要求にはお応えいたしかねます"


def after(seconds: float) -> datetime:
    """Return the time so many seconds after the tests' day began."""
    return START + timedelta(seconds=seconds)


def words(name: str) -> Text:
    """Return a text that is recognisable in both languages."""
    return Text(f"{name}（日本語）", f"{name} (English)")


def a_criterion(label: Label = Label.THREAT, **changes: Any) -> Criterion:
    """Return a criterion that one utterance over 0.6 meets."""
    fields: dict[str, Any] = {
        "id": f"{label.value.replace('_', '-')}-rule",
        "label": label,
        "title": words(label.value),
        "threshold": 0.6,
        "strong": 0.6,
        "hits": 1,
        "evidence": 0.6,
        "half_life_s": 60.0,
        "severity": Severity.B2,
        "reason": words(f"reason {label.value}"),
        "guide": words(f"guide {label.value}"),
        "phrase": "warning-1",
        "source": Source.DEFAULT,
    }
    return Criterion(**(fields | changes))


def _rule(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "label": Label.DETENTION,
        "title": words(name),
        "severity": Severity.B1,
        "reason": words(f"reason {name}"),
        "guide": words(f"guide {name}"),
        "phrase": "limit",
        "source": Source.DEFAULT,
    }


def a_policy(*criteria: Criterion, **changes: Any) -> Policy:
    """Return a policy with these criteria; without any: threat (B3), repeated abuse (B2), life safety."""
    fields: dict[str, Any] = {
        "id": "test-policy",
        "version": "1",
        "title": words("policy"),
        "effective_from": "2026-10-01",
        "review_by": "2027-04-01",
        "axes": (),
        "types": tuple(
            TypeName(label=label, name=words(label), meaning=words(label), source=Source.DEFAULT) for label in Label
        ),
        "criteria": criteria
        or (
            a_criterion(Label.ABUSE, threshold=0.5, strong=0.9, hits=2, evidence=0.8),
            a_criterion(Label.THREAT, severity=Severity.B3),
            a_criterion(Label.LIFE_SAFETY, threshold=0.5, strong=0.5, evidence=0.5, severity=Severity.B0),
        ),
        "phrases": (
            Phrase(
                id="warning-1",
                title=words("warning"),
                text=Text(f"その{WARNING}。", "If this goes on I cannot help."),
                spoken_marks=("お言葉が続く", "ご案内できかねます"),
                warning=1,
            ),
            Phrase(
                id="warning-2",
                title=words("warning 2"),
                text=Text(f"{SECOND_WARNING}。", "I will end the call."),
                spoken_marks=("通話を終了いたします",),
                warning=2,
            ),
            Phrase(id="limit", title=words("limit"), text=words("limit"), spoken_marks=("あと5分",), warning=0),
            Phrase(
                id="refusal",
                title=words("refusal"),
                text=Text(f"{FINAL_ANSWER}。", "That is our final answer."),
                spoken_marks=("お応えいたしかねます",),
                warning=0,
                final_answer=True,
            ),
        ),
        "ladder": (
            EscalationStep(level="L2", role=words("L2"), after_red_s=0, after_amber_s=0, source=Source.DEFAULT),
        ),
        "reminder_s": 300,
        "repeat": RepeatRule(
            **_rule("repeat"), times=3, similarity=0.8, spelling=0.5, demand=0.3, refusal_marks=(REFUSAL,)
        ),
        "times": tuple(
            TimeRule(**_rule(f"loop-{minutes}"), after_s=minutes * 60.0, repeats=2) for minutes in (15, 30, 45)
        ),
        "rise": Rise(after_warning=2, highest=Severity.B3),
        "context": Context(turns=2, within_s=20.0, ambiguous=0.2),
        "tentative": Tentative(on=True, threshold=0.85, least=5, every_s=0.6, characters=4),
        "rights": Rights(marks=("訴える", "弁護士", "消費者センター"), strong=0.97),
        "complaint_threshold": 0.5,
        "second_hit": (Label.EXCESSIVE_DEMAND, Label.EXPOSURE),
        "sure": 0.99,
        "relay_marks": ("電話リレーサービス",),
        "accommodation_marks": ("耳が聞こえにくい",),
        "overlap": 0.75,
        "reply_score": 0.5,
        "warning_score": 0.3,
    }
    return Policy(**(fields | changes))


def said(text: str = "ことば", *, sequence: int = 0, at_s: float = 1.0, **changes: Any) -> Utterance:
    """Return a customer's final utterance that ended at `at_s`."""
    fields: dict[str, Any] = {
        "call_id": "call-1",
        "sequence": sequence,
        "speaker": Speaker.CUSTOMER,
        "start_s": max(0.0, at_s - 1.0),
        "end_s": at_s,
        "text": text,
    }
    return Utterance(**(fields | changes))


def scored(
    scores: dict[Label, float] | None = None, embedding: tuple[float, ...] | None = None, **reply: float
) -> Scores:
    """Return a classifier's answer; labels and kinds of reply not named are at 0."""
    labels = dict.fromkeys(Label, 0.0) | (scores or {})
    return Scores(
        labels=labels, over=(), harassment=0.0, model_version=MODEL, embedding=embedding, reply=Reply(**reply)
    )


def an_alert(alert_id: str = "alert-1", **changes: Any) -> Alert:
    """Return the first revision of a threat's alert."""
    fields: dict[str, Any] = {
        "alert_id": alert_id,
        "call_id": "call-1",
        "seat": "01",
        "kind": AlertKind.HARASSMENT,
        "change": AlertChange.NEW,
        "revision": 1,
        "at_s": 12.5,
        "types": (Label.THREAT,),
        "severity": Severity.B3,
        "criterion": "threat-rule",
        "reason": words("reason"),
        "guide": words("guide"),
        "phrase": "warning-1",
        "quotes": ("ただじゃおかないぞ",),
        "warnings": 0,
        "policy_version": "1",
        "model_version": MODEL,
    }
    return Alert(**(fields | changes))


def an_incident(**changes: Any) -> Incident:
    """Return an open incident."""
    fields: dict[str, Any] = {"alert": an_alert(), "opened_at": START}
    return Incident(**(fields | changes))
