"""One call: what is said in it is classified and judged.

Rules:
1. A customer's final words are classified and judged, by those of them that bear on judgement (`Reading`); an
   operator's are heard for refusals, warnings and the final answer only.
2. A customer's words under way are looked at when enough of them have changed, and may raise a tentative alert.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.domain.call import Speaker, Utterance
from edge_agent.domain.judgement import hear, suspect
from edge_agent.domain.record import CallRecord
from edge_agent.pipeline.alerting import Alerting
from edge_agent.pipeline.events import AlertRaised, CallEnded, ComplaintHeard, Event, Heard, Scored, Warned
from edge_agent.pipeline.reading import Glances, Reading
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.domain.alert import Alert
    from edge_agent.domain.policy import Policy
    from edge_agent.pipeline.voice import Words
    from edge_agent.ports import Classifier


class Conversation:
    """One call: its record, its alerts."""

    def __init__(
        self,
        *,
        call_id: str,
        seat: str,
        origin: int,
        classifier: Classifier,
        policy: Policy,
        new_id: Callable[[], str],
    ) -> None:
        self.call_id = call_id
        self.origin = origin
        self.dropped = 0
        self._policy = policy
        self._reading = Reading(classifier, policy)
        self._glances = Glances(policy.tentative)
        self._alerting = Alerting(call_id=call_id, seat=seat, new_id=new_id)
        self._record = CallRecord(call_id=call_id)

    def seconds(self, position: int) -> float:
        """Return seconds of the call (to the millisecond) for a position of the line's clock."""
        return round(max(0, position - self.origin) / RATE, 3)

    def say(self, speaker: Speaker, words: Words) -> list[Event]:
        """Take words of one side."""
        utterance = Utterance(
            call_id=self.call_id,
            sequence=words.number,
            speaker=speaker,
            start_s=self.seconds(words.start),
            end_s=self.seconds(words.end),
            text=words.text,
            final=words.final,
            confidence=words.confidence,
        )
        events: list[Event] = [Heard(utterance=utterance)]
        if speaker is Speaker.OPERATOR:
            if utterance.final:
                scores = self._reading.of_operator(utterance)
                before = self._record
                self._record, _ = hear(before, utterance, scores, self._policy)
                if self._record.warnings > before.warnings:
                    events.append(Warned(call_id=self.call_id, at_s=utterance.end_s))
        elif utterance.final:
            events += self._judge(utterance)
        elif self._alerting.may_suspect and self._glances.worth(utterance):
            events += self._suspect(utterance)
        return events

    def forget_under_way(self) -> None:
        """Keep nothing of words that were only under way, as when a pause begins."""
        self._glances = Glances(self._policy.tentative)
        self._reading.forget()

    def end(self, *, duration_s: float, faded: bool = False) -> list[Event]:
        """End what is open, and the call; `faded` if nobody said that it is over."""
        return [
            *_raised(self._alerting.end(at_s=duration_s, record=self._record)),
            CallEnded(call_id=self.call_id, duration_s=duration_s, dropped=self.dropped, faded=faded),
        ]

    def _judge(self, utterance: Utterance) -> list[Event]:
        whole, bearing = self._reading.of_customer(utterance, self._record.turns, reporting=self._record.reporting > 0)
        events: list[Event] = [Scored(utterance=utterance, scores=whole)]
        before = self._record
        self._record, assessment = hear(before, utterance, bearing, self._policy, whole=whole)
        if self._record.complaint and not before.complaint:
            events.append(ComplaintHeard(call_id=self.call_id, at_s=utterance.end_s))
        if assessment is not None:
            assessment = self._reading.with_telling_words(assessment)
        return [*events, *_raised(self._alerting.final(assessment, at_s=utterance.end_s, record=self._record))]

    def _suspect(self, utterance: Utterance) -> list[Event]:
        scores = self._reading.under_way(utterance, reporting=self._record.reporting > 0)
        assessment = suspect(self._record, utterance, scores, self._policy)
        if assessment is None:
            return []
        return list(_raised(self._alerting.suspected(self._reading.with_telling_words(assessment))))


def _raised(alerts: list[Alert]) -> list[AlertRaised]:
    return [AlertRaised(alert=alert) for alert in alerts]
