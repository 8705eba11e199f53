"""What the classifier is asked about a call's words, and as little as possible: every question takes a few ms.

Most utterances of a customer take one run. One more is needed when they hold a reported or denied clause or name a
right, and one when they are vague and follow the customer's own turns. The operator's take one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from edge_agent.domain.likeness import plain
from edge_agent.domain.policy import Criterion
from edge_agent.domain.repetition import LEAST_LETTERS
from edge_agent.domain.wording import Turn, bearing_words, in_context, tempered, turns_before, vague
from edge_agent.pipeline.attribution import telling_words

if TYPE_CHECKING:
    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Label, Scores
    from edge_agent.domain.judgement import Assessment
    from edge_agent.domain.policy import Policy, Tentative
    from edge_agent.ports import Classifier


KEPT = 16
"""Texts of a call whose scores are kept: final words are often those that were looked at while they were said, and an
alert asks about its words once more. A text takes some 12 KiB, most of it the embedding."""


class Reading:
    """Reads one call's words with the classifier."""

    def __init__(self, classifier: Classifier, policy: Policy) -> None:
        # Kept for this call alone: its words are forgotten with it.
        self._classify = lru_cache(maxsize=KEPT)(classifier.classify)
        self._policy = policy
        self._telling: dict[tuple[Label, str], tuple[tuple[int, int], ...]] = {}

    def of_operator(self, utterance: Utterance) -> Scores | None:
        """Return scores that say what the operator's words reply; None for words too few for that."""
        return self._classify(utterance.text) if len(plain(utterance.text)) >= LEAST_LETTERS else None

    def of_customer(
        self, utterance: Utterance, turns: Sequence[Turn], *, reporting: bool = False
    ) -> tuple[Scores, Scores]:
        """Return the scores of the whole utterance, and those of the words in it that bear on judgement.

        `reporting`: the customer is telling what somebody else did or said.
        """
        whole = self._classify(utterance.text)
        bearing = self._bearing(utterance.text, whole, reporting=reporting)
        before = turns_before(turns, start_s=utterance.start_s, policy=self._policy)
        # A quoted line is no continuation: what it says is not the speaker's own.
        if bearing is whole and before and vague(whole, self._policy):
            own = [bearing_words(turn.text, self._policy, reporting=turn.reporting) for turn in before]
            together = self._classify("".join([*own, utterance.text]))
            bearing = in_context(whole, together, before, self._policy)
        return whole, bearing

    def under_way(self, utterance: Utterance, *, reporting: bool = False) -> Scores:
        """Return the scores of words that may still change."""
        return self._bearing(utterance.text, self._classify(utterance.text), reporting=reporting)

    def with_telling_words(self, assessment: Assessment) -> Assessment:
        """Return an assessment whose findings say which of their words carried them; asked for alerts alone."""
        findings = tuple(
            replace(finding, telling=self._telling_of(finding.label, finding.quote))
            if not finding.telling and isinstance(assessment.criterion, Criterion)
            else finding
            for finding in assessment.findings
        )
        return replace(assessment, findings=findings)

    def forget(self) -> None:
        """Keep no text whose scores were asked for."""
        self._classify.cache_clear()

    def _telling_of(self, label: Label, quote: str) -> tuple[tuple[int, int], ...]:
        # An alert that goes on rests on the same words again and again.
        known = self._telling.get((label, quote))
        if known is None:
            known = self._telling[label, quote] = telling_words(quote, partial(self._score, label))
        return known

    def _score(self, label: Label, text: str) -> float:
        return self._classify(text).labels.get(label, 0.0)

    def _bearing(self, text: str, whole: Scores, *, reporting: bool) -> Scores:
        rest = bearing_words(text, self._policy, reporting=reporting)
        if rest == text:
            return whole
        return tempered(text, whole, self._classify(rest), self._policy, reporting=reporting)


@dataclass(slots=True, kw_only=True)
class _Glance:
    """The words of an utterance when they were last looked at, and when (seconds of the call)."""

    text: str
    at_s: float


class Glances:
    """Says which words under way are worth a look: enough of them, stable, not too often, and not again the same."""

    def __init__(self, tentative: Tentative) -> None:
        self._tentative = tentative
        self._sequence: int | None = None
        self._seen = ""
        self._last: _Glance | None = None

    def worth(self, utterance: Utterance) -> bool:
        """Return whether to look at the customer's words under way now, and remember that it was done."""
        if not self._tentative.on:
            return False
        if utterance.sequence != self._sequence:
            self._sequence, self._seen, self._last = utterance.sequence, "", None
        # Words that recognition has just taken back were not stable, and what replaces them need not be.
        stable = bool(self._seen) and utterance.text.startswith(self._seen)
        self._seen = utterance.text
        due = stable and len(utterance.text) >= self._tentative.least
        if due and self._last is not None:
            due = (
                utterance.end_s - self._last.at_s >= self._tentative.every_s
                and _changed(self._last.text, utterance.text) >= self._tentative.characters
            )
        if due:
            self._last = _Glance(text=utterance.text, at_s=utterance.end_s)
        return due


def _changed(before: str, now: str) -> int:
    """Return from how many characters on the two texts differ: recognition changes the end of what it hears."""
    return sum(1 for one, other in zip_longest(before, now) if one != other)
