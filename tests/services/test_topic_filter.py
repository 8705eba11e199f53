"""Whether a device asks for more than its rights."""

from __future__ import annotations

import pytest

from edge_agent.services.topic_filter import covers, meet


@pytest.mark.parametrize(
    ("right", "wanted"),
    [
        ("a/b", "a/b"),
        ("a/+", "a/b"),
        ("a/+", "a/+"),
        ("a/#", "a/+/c"),
        ("a/#", "a/#"),
        ("a/#", "a"),
        ("#", "#"),
        ("a/+/panel-1", "a/x/panel-1"),
    ],
)
def test_what_a_right_holds_is_no_more_than_it(right: str, wanted: str) -> None:
    assert covers(right, wanted)
    assert meet(right, wanted)


@pytest.mark.parametrize(
    ("right", "wanted"),
    [
        ("a/b", "a/+"),
        ("a/+", "a/#"),
        ("a/+", "#"),
        ("a/+", "+/b"),
        ("a/+/panel-1", "a/+/+"),
        ("a/b/c", "a/b"),
        ("a/b", "a/b/c"),
        ("a/+", "b/c"),
    ],
)
def test_what_goes_beyond_a_right_is_more(right: str, wanted: str) -> None:
    assert not covers(right, wanted)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a/#", "#", True),
        ("a/b/#", "a/+/c", True),
        ("a/b/#", "+/+/c/d", True),
        ("a/#", "a", True),
        ("a/b/#", "a/c/#", False),
        ("a/b/#", "home/+/config", False),
        ("a/b/#", "a", False),
        ("a/b", "a/b/c", False),
    ],
)
def test_two_filters_meet_if_there_is_a_topic_of_both(one: str, other: str, *, both: bool) -> None:
    assert meet(one, other) is meet(other, one) is both
