"""Whether people talk as in a call on a line whose calls are announced, although none was.

Rules:
1. Talk is when both sides speak: at least `ENOUGH_S` each, since the customer's side was heard first. What the operator
   alone says is said at the desk, what the customer's side alone says may be a recording.
2. It begins with the customer's first speech, and is over when that side has been silent for `APART_S`.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge_agent.domain.call import Speaker
from edge_agent.ports import RATE

ENOUGH_S = 3
"""Seconds of speech of each side: more than a wrong connection or a greeting to a colleague takes."""
APART_S = 30
"""Seconds of silence of the customer's side after which what follows is no part of what came before."""


class Conversing:
    """Talk on one line between its announced calls.

    Args:
        limit_s: talk of so many seconds is a call that should have been announced; 0: none ever is.
    """

    def __init__(self, *, limit_s: int) -> None:
        self._limit = limit_s * RATE
        self._spoken = dict.fromkeys(Speaker, 0)
        self._since: int | None = None
        self._newest = 0

    def forget(self) -> None:
        """Begin anew, as after a call."""
        self._spoken = dict.fromkeys(Speaker, 0)
        self._since = None

    def hear(self, speaking: Mapping[Speaker, bool], *, at: int, length: int) -> bool:
        """Take who spoke in a stretch of the line; return whether a call should have been announced by now.

        `at` is the stretch's position and `length` its length, both in samples.
        """
        if not self._limit:
            return False
        if self._since is not None and at - self._newest >= APART_S * RATE:
            self.forget()
        if speaking[Speaker.CUSTOMER]:
            self._newest = at
            if self._since is None:
                self._since = at
        if self._since is None:
            return False
        for speaker, speaks in speaking.items():
            self._spoken[speaker] += length if speaks else 0
        both = min(self._spoken.values()) >= ENOUGH_S * RATE
        return both and at + length - self._since >= self._limit
