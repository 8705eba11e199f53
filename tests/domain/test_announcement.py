"""Calls are announced: what an announcement changes, and when it changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from edge_agent.domain.announcement import (
    AnnouncedCall,
    AnnouncedEnd,
    Doubt,
    Untold,
    UntoldError,
    doubts,
    ended,
    faded,
    overdue,
    silent,
    started,
    unannounced,
)
from tests.builders import START, after

HOUR = timedelta(hours=1)


def a_call(at: datetime = START, *, told_at: datetime | None = None, **changes: Any) -> AnnouncedCall:
    fields: dict[str, Any] = {
        "seat": "01",
        "call_id": f"call-{at:%H%M%S}",
        "by": "pbx",
        "caller": "",
        "started_at": at,
        "told_at": told_at or at,
    }
    return AnnouncedCall(**(fields | changes))


def refusal(known: AnnouncedCall | None, new: AnnouncedCall) -> Untold:
    with pytest.raises(UntoldError) as refused:
        started(known, new)
    return refused.value.why


def test_a_call_starts_and_ends_as_announced_and_the_next_one_is_another() -> None:
    first = started(None, a_call())
    over = ended(first, at=after(60), now=after(61))
    assert (over.under_way, over.ended_at, over.end) == (False, after(60), AnnouncedEnd.TOLD)
    assert started(over, a_call(after(70))).call_id != first.call_id


def test_a_second_start_changes_nothing_unless_it_names_another_caller() -> None:
    known = started(None, a_call(caller="aa"))
    assert refusal(known, a_call(after(5))) is Untold.ALREADY_STARTED
    assert refusal(known, a_call(after(5), caller="aa")) is Untold.ALREADY_STARTED
    assert started(known, a_call(after(5), caller="bb")).started_at == after(5)
    nameless = started(None, a_call())
    assert refusal(nameless, a_call(after(5), caller="bb")) is Untold.ALREADY_STARTED


def test_an_end_without_a_start_changes_nothing() -> None:
    over = ended(a_call(), at=after(60), now=after(60))
    for known in (None, over, faded(a_call(), now=after(60))):
        with pytest.raises(UntoldError) as refused:
            ended(known, at=after(90), now=after(90))
        assert refused.value.why is Untold.NOT_STARTED


@pytest.mark.parametrize(
    ("at", "why"),
    [(after(31), Untold.IN_FUTURE), (after(-301), Untold.TOO_OLD), (after(-300), None), (after(30), None)],
)
def test_what_happened_at_an_impossible_time_changes_nothing(at: datetime, why: Untold | None) -> None:
    new = a_call(at, told_at=START)
    if why is None:
        assert started(None, new).started_at == min(at, START), "a clock ahead of the box's is set right"
    else:
        assert refusal(None, new) is why


def test_what_comes_too_late_changes_nothing() -> None:
    over = ended(a_call(after(10)), at=after(20), now=after(20))
    assert refusal(over, a_call(after(10), told_at=after(30))) is Untold.OUT_OF_ORDER, "the same start once more"
    assert refusal(over, a_call(after(5), told_at=after(30))) is Untold.OUT_OF_ORDER
    with pytest.raises(UntoldError) as refused:
        ended(a_call(after(10)), at=after(5), now=after(30))
    assert refused.value.why is Untold.OUT_OF_ORDER, "the end of the call before"


def test_announcements_decide_while_a_call_is_under_way_and_for_a_while_after_the_last() -> None:
    known = a_call()
    assert known.decides(now=after(4 * 3600), hold=HOUR)
    over = ended(known, at=after(60), now=after(60))
    assert over.decides(now=after(60 + 3599), hold=HOUR)
    assert not over.decides(now=after(60 + 3600), hold=HOUR)
    assert not over.decides(now=after(60), hold=timedelta(0))


def test_a_call_that_faded_was_not_announced_again() -> None:
    over = faded(a_call(), now=after(600))
    assert (over.under_way, over.end, over.told_at) == (False, AnnouncedEnd.SILENCE, START)
    assert not over.decides(now=after(3600), hold=HOUR), "the hold counts from what was announced"


def an_ended(at: datetime = START, **changes: Any) -> AnnouncedCall:
    return ended(a_call(at, **changes), at=at + timedelta(seconds=60), now=at + timedelta(seconds=60))


def test_an_unannounced_call_is_doubt_of_all_seats_of_its_integration_and_of_no_other() -> None:
    one = unannounced(an_ended(), now=after(90))
    other, stranger = an_ended(seat="02"), an_ended(seat="03", by="cti")
    assert silent([one, other, stranger]) == {"pbx"}
    assert doubts([one, other, stranger]) == {"01": Doubt.UNANNOUNCED, "02": Doubt.UNANNOUNCED}
    # It has announced something since: only the seat where the call was heard is doubted.
    other = started(other, a_call(after(100), seat="02"))
    assert not silent([one, other])
    assert doubts([one, other]) == {"01": Doubt.UNANNOUNCED}
    assert doubts([started(one, a_call(after(110))), other]) == {}


def test_a_call_under_way_is_not_doubted_because_people_talk_in_it() -> None:
    assert unannounced(a_call(), now=after(90)) == a_call()


def test_a_lost_end_is_doubt_of_its_seat_alone() -> None:
    over, other = faded(a_call(), now=after(600)), an_ended(seat="02")
    assert doubts([over, other]) == {"01": Doubt.UNENDED}
    assert not silent([over, other])
    assert doubts([started(over, a_call(after(700)))]) == {}


def test_a_call_is_overdue_when_its_integration_announces_nothing_anywhere_for_an_hour() -> None:
    long = a_call()
    assert overdue([long], now=after(3599)) == []
    [doubted] = overdue([long], now=after(3600))
    assert (doubted.doubt, doubted.under_way) == (Doubt.UNENDED, True)
    assert overdue([doubted], now=after(3700)) == [], "told once"
    assert silent([doubted]) == {"pbx"}
    assert silent([faded(doubted, now=after(4000))]) == {"pbx"}, "it has announced nothing since"
    assert ended(doubted, at=after(4000), now=after(4000)).doubt is None
    assert overdue([long, an_ended(after(1800), seat="02")], now=after(3700)) == [], "a long call, announced of well"
