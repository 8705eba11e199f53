"""What is lost is looked for again: at once where something shows that it may be back, soon in any case."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.adapters.reader_process import FIRST_WAIT_S, LONGEST_WAIT_S, POLL_S, keep_reading
from edge_agent.errors import Text

GONE = Text("ありません。", "It is not there.")


class Attempts:
    """A stop event that counts what is waited for between attempts to read what is not there."""

    def __init__(self, most: int, sight: Callable[[float], object] = lambda _waited_s: None) -> None:
        self._most = most
        self._sight = sight
        self._waited_s = 0.0
        self.pauses: list[float] = []

    def is_set(self) -> bool:
        return len(self.pauses) >= self._most

    def wait(self, seconds: float) -> bool:
        self.pauses[-1] += seconds
        self._waited_s += seconds
        return False

    def sight(self) -> object:
        return self._sight(self._waited_s)

    def read(self) -> Text:
        self.pauses.append(0.0)
        return GONE

    def run(self) -> list[float]:
        keep_reading(self, self.read, lambda _fault: None, self.sight)  # type: ignore[arg-type]
        return self.pauses


def test_pauses_double_up_to_a_length_after_which_what_is_back_is_still_heard_in_time() -> None:
    assert Attempts(6).run() == [0.5, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert LONGEST_WAIT_S + POLL_S < 5.0 - 1.5, "the rest is for a new process, whose start takes a second or so"


def test_what_shows_that_it_may_be_back_ends_the_pause_at_once_and_makes_the_next_one_short() -> None:
    # At 8 s, in the middle of the fifth pause.
    pauses = Attempts(7, lambda waited_s: waited_s >= 8.0).run()
    assert pauses[:4] == [0.5, 1.0, 2.0, 3.0]
    assert pauses[4] == 1.5
    assert pauses[5:] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S]
