"""Topic filters of MQTT: whether one asks for no more than another, and whether two can ever mean the same topic.

The words are MQTT's own: ``+`` stands for one level, ``#`` for all that follow; neither stands for a first level that
begins with ``$``.
"""

from __future__ import annotations

ONE, REST = "+", "#"


def covers(right: str, wanted: str) -> bool:
    """Return whether every topic that `wanted` means is one that `right` means."""
    have, want = right.split("/"), wanted.split("/")
    for position, level in enumerate(have):
        if level == REST:
            return True
        if position >= len(want) or want[position] == REST:
            return False
        if level not in {ONE, want[position]}:
            return False
    return len(have) == len(want)


def meet(one: str, other: str) -> bool:
    """Return whether there is a topic that both mean."""
    mine, theirs = one.split("/"), other.split("/")
    for a, b in zip(mine, theirs, strict=False):
        if REST in {a, b}:
            return True
        if ONE not in {a, b} and a != b:
            return False
    # "a/#" means "a" too.
    longer = max(mine, theirs, key=len)
    return len(mine) == len(theirs) or longer[min(len(mine), len(theirs)) :] == [REST]
