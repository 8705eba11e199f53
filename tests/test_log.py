"""Logs identify, never quote."""

from __future__ import annotations

import logging

import pytest

from edge_agent.log import ALLOWED, Log


def test_an_event_carries_its_facts_in_a_steady_order(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Log("recorder").info("call.started", seat="01", call="c1")
        Log("recorder").warning("broker.lost", attempt=2)
        Log("recorder").error("alert.unwritten", error="StoreError")
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("mamori.recorder", "INFO", "call.started call=c1 seat=01"),
        ("mamori.recorder", "WARNING", "broker.lost attempt=2"),
        ("mamori.recorder", "ERROR", "alert.unwritten error=StoreError"),
    ]


@pytest.mark.parametrize("key", ["text", "quote", "words", "name", "number", "person", "password", "token"])
def test_nothing_that_could_quote_a_caller_can_be_logged(key: str, caplog: pytest.LogCaptureFixture) -> None:
    assert key not in ALLOWED
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="allow-list") as refused:
        Log("recorder").info("call.started", seat="01", **{key: "ただじゃおかない"})
    assert caplog.records == []
    assert "ただじゃおかない" not in str(refused.value)
