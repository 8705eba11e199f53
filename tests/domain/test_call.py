from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.call import Call
from edge_agent.errors import TransitionError
from tests.builders import START, after
from tests.properties import QUICK


@QUICK
@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)))
def test_a_call_ends_once_and_keeps_when_it_began(length: timedelta) -> None:
    call = Call(call_id="call-1", seat="01", started_at=START).end(at=START + length)
    assert (call.started_at, call.ended_at) == (START, START + length)
    with pytest.raises(TransitionError) as refused:
        call.end(at=START + length + timedelta(seconds=1))
    assert "call-1" in refused.value.what.ja
    assert refused.value.remedy.ja


@QUICK
@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=2)))
def test_a_call_cannot_end_before_it_began(early: timedelta) -> None:
    call = Call(call_id="call-1", seat="01", started_at=after(0))
    with pytest.raises(TransitionError, match="Check the clock"):
        call.end(at=START - early)
    assert call.ended_at is None
