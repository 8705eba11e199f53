"""Scripted calls through the pipeline's own judgement: as words, or as recordings through recognition.

What is measured here is what runs on the floor: the same conversation, policy and classifier.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.call import Speaker
from edge_agent.domain.policy import Policy
from edge_agent.pipeline.conversation import Conversation
from edge_agent.pipeline.events import AlertRaised, ComplaintHeard, Event, Heard
from edge_agent.pipeline.listen import LineListener
from edge_agent.pipeline.voice import Words
from edge_agent.ports import RATE, AudioSource, Classifier, RecognizerFactory, VoiceDetector
from edge_agent.services.call_figures import JudgedCall
from edge_agent.services.scripts import Script
from edge_agent.settings import Settings

CHARACTERS_PER_S = 6.0
"""Speed of a turn of a script, which has no times of its own; a lively telephone voice."""
PAUSE_S = 0.6
"""Silence between two turns of a script."""
LATE_S = 2.5
"""Recognition ends an utterance so much later than it was spoken at the most; later is a later utterance."""


def play(script: Script, classifier: Classifier, policy: Policy) -> JudgedCall:
    """Return what becomes of a script whose words are heard without an error."""
    names = itertools.count(1)
    call = Conversation(
        call_id=script.call_id, seat="script", origin=0, classifier=classifier, policy=policy,
        new_id=lambda: f"{script.call_id}-{next(names)}",
    )  # fmt: skip
    at_s, ends, events = 0.0, [], []
    for number, turn in enumerate(script.turns):
        start_s, at_s = at_s, at_s + len(turn.text) / CHARACTERS_PER_S
        words = Words(number=number, start=int(start_s * RATE), end=int(at_s * RATE), text=turn.text, final=True)
        events += call.say(turn.speaker, words)
        ends.append(at_s)
        at_s += PAUSE_S
    events += call.end(duration_s=at_s)
    return outcome(script, events, deadline_s=_deadline(script, ends, slack_s=PAUSE_S / 2))


def hear_recording(
    script: Script,
    source: AudioSource,
    models: RecognizerFactory,
    vad_factory: Callable[[], VoiceDetector],
    classifier: Classifier,
    policy: Policy,
    settings: Settings,
    *,
    ends: list[float],
) -> JudgedCall:
    """Return what becomes of a recorded script; `ends` are the seconds at which its turns end in the recording."""
    names = itertools.count(1)
    listener = LineListener(
        "script", models, vad_factory, classifier, policy, settings,
        new_id=lambda: f"{script.call_id}-{next(names)}", whole_source_is_one_call=True,
    )  # fmt: skip
    events = [event for block in source.blocks() for event in listener.feed(block)]
    events += listener.finish()
    return outcome(script, events, deadline_s=_deadline(script, ends, slack_s=LATE_S))


def read_ends(file: Path) -> list[float]:
    """Return the end of each turn, in seconds, from the table beside a recording."""
    return [float(turn["end"]) for turn in json.loads(file.read_text(encoding="utf-8"))["turns"]]


def outcome(script: Script, events: Iterable[Event], *, deadline_s: float | None) -> JudgedCall:
    """Return what the events of a call amount to."""
    first_s: dict[str, float] = {}
    types: dict[str, set[str]] = {}
    life_safety = complaint = False
    talk_s = 0.0
    for event in events:
        match event:
            case AlertRaised(alert=alert) if alert.kind is AlertKind.LIFE_SAFETY:
                life_safety = True
            case AlertRaised(alert=alert) if alert.kind is AlertKind.HARASSMENT:
                first_s.setdefault(alert.alert_id, alert.at_s)
                if not alert.tentative:
                    types.setdefault(alert.alert_id, set()).update(label.value for label in alert.types)
                if alert.withdrawn:
                    del first_s[alert.alert_id]
            case ComplaintHeard():
                complaint = True
            case Heard(utterance=heard) if heard.final and heard.speaker is Speaker.CUSTOMER:
                talk_s += heard.end_s - heard.start_s
            case _:
                pass
    alerted_s = min(first_s.values(), default=None)
    return JudgedCall(
        script=script,
        alerted=alerted_s is not None,
        types=frozenset().union(*types.values()),
        late=alerted_s is not None and deadline_s is not None and alerted_s > deadline_s,
        life_safety=life_safety,
        complaint=complaint,
        talk_s=talk_s,
    )


def _deadline(script: Script, ends: list[float], *, slack_s: float) -> float | None:
    return None if script.first is None else ends[script.first] + slack_s
