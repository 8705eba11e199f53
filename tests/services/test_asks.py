"""What an integration asks is read with care: refused in words, never quoted, and no number is kept of a caller."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.announcement import AskEvent, Untold
from edge_agent.domain.caller import handle
from edge_agent.errors import AskError
from edge_agent.services import asks
from edge_agent.services.pulse import AGENT, SILENT_S, agent_listens
from tests.builders import START, after

KNOWN = frozenset({"event", "caller", "at"})
KEY = b"k" * 32


def read(body: bytes | str | dict[str, Any], *, key: bytes | None = KEY) -> asks.CallAsk:
    told = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return asks.read_call(asks.read_object(told, known=KNOWN), key=key)


def test_a_start_with_all_that_can_be_told() -> None:
    ask = read({"event": "started", "caller": "090-1234-5678", "at": "2026-11-23T10:00:00+09:00"})
    assert ask == asks.CallAsk(event=AskEvent.STARTED, caller=handle("09012345678", KEY), at=START)
    assert "1234" not in repr(ask)


def test_an_end_needs_nothing_else_and_a_withheld_number_is_no_caller() -> None:
    assert read({"event": "ended"}) == asks.CallAsk(event=AskEvent.ENDED)
    assert read({"event": "started", "caller": "anonymous", "at": None}).caller == ""


def test_a_box_without_a_key_has_no_handles() -> None:
    assert read({"event": "started", "caller": "09012345678"}, key=None).caller == ""


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        '"started"',
        "[" * 4000,
        "{}",
        b"\xff\xfe",
        {"event": "begun"},
        {"event": ["started"]},
        {"event": "started", "caller": 9012345678},
        {"event": "started", "caller": "0" * 65},
        {"event": "started", "at": "noon"},
        {"event": "started", "at": "2026-11-23T10:00:00"},
        {"event": "started", "at": 1764000000},
        {"event": "started", "at": "0001-01-01T00:00:00+23:59"},
        {"event": "started", "09012345678": True},
        {"event": "started", "pad": "x" * 5000},
    ],
)
def test_what_is_malformed_is_refused_in_words_that_quote_nothing(body: bytes | str | dict[str, Any]) -> None:
    with pytest.raises(AskError) as refused:
        read(body)
    assert refused.value.code == "malformed"
    assert "09012345678" not in str(refused.value)
    assert refused.value.what.ja != refused.value.what.en


@given(st.binary(max_size=300) | st.builds(json.dumps, st.dictionaries(st.sampled_from(sorted(KNOWN)), st.text())))
def test_whatever_is_sent_is_read_or_refused(body: bytes | str) -> None:
    # Anything else than a refusal would come out here.
    with suppress(AskError):
        read(body if isinstance(body, bytes) else body.encode())


def test_every_reason_for_which_nothing_changes_has_its_words() -> None:
    assert set(asks.UNTOLD) == set(Untold)


@pytest.mark.parametrize("text", ["", "not hexadecimal"])
def test_a_key_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    assert asks.read_key(tmp_path / "missing") is None
    (tmp_path / "key").write_text(text)
    assert asks.read_key(tmp_path / "key") is None


def test_an_agent_that_has_ceased_to_pulse_does_not_listen(tmp_path: Path) -> None:
    assert not agent_listens(tmp_path, now=START)
    (tmp_path / AGENT).touch()
    os.utime(tmp_path / AGENT, (START.timestamp(), START.timestamp()))
    assert agent_listens(tmp_path, now=after(SILENT_S - 1))
    assert not agent_listens(tmp_path, now=after(SILENT_S))
    assert not agent_listens(tmp_path, now=datetime(2027, 1, 1, tzinfo=UTC))
