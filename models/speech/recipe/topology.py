"""Phones in their positions, their states and the transition ids Kaldi counts from them.

A phone has two states: the first emits the phone's own output, the second the blank that follows it and that all
phones share. SIL has one state, which emits the blank: silence is blank without end. Kaldi numbers the transitions
in the order of the (phone, state, output) triples, so this order is the file's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from phones import PHONES

POSITIONS = ("B", "E", "I", "S")
"""Begin, end, internal, singleton: where in its word a phone stands."""

NAMES: tuple[str, ...] = ("SIL", *(f"{phone}_{position}" for phone in PHONES for position in POSITIONS))
IDS = {name: number for number, name in enumerate(NAMES, 1)}
OUTPUTS = len(PHONES) + 1
"""Outputs of the network: blank, then the phones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transitions:
    """Transition ids of one phone; SIL has `leave` and `loop` alone."""

    loop: int
    leave: int
    to_blank: int = 0
    blank_loop: int = 0
    blank_leave: int = 0


def _count() -> tuple[dict[str, Transitions], list[tuple[int, int, int]], list[float]]:
    ids: dict[str, Transitions] = {}
    triples: list[tuple[int, int, int]] = []
    log_probs = [0.0]
    at = 1
    for name in NAMES:
        number = IDS[name]
        if name == "SIL":
            ids[name] = Transitions(loop=at, leave=at + 1)
            triples.append((number, 0, 0))
            log_probs += [log(1 / 2)] * 2
            at += 2
            continue
        ids[name] = Transitions(loop=at, to_blank=at + 1, leave=at + 2, blank_loop=at + 3, blank_leave=at + 4)
        triples += [(number, 0, PHONES.index(name[:-2]) + 1), (number, 1, 0)]
        log_probs += [log(1 / 3)] * 3 + [log(1 / 2)] * 2
        at += 5
    return ids, triples, log_probs


TRANSITIONS, TRIPLES, LOG_PROBS = _count()
LAST_TRANSITION = len(LOG_PROBS) - 1


def in_position(phones: tuple[str, ...]) -> tuple[str, ...]:
    """Return a word's phones with their positions."""
    if len(phones) == 1:
        return (f"{phones[0]}_S",)
    return (f"{phones[0]}_B", *(f"{phone}_I" for phone in phones[1:-1]), f"{phones[-1]}_E")
