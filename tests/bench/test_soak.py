"""The soak's own arithmetic, and the soak itself: seconds of it in the suite, ten minutes in `make test-soak`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.bench.soak import Minute, read, slope, soak, words

MINUTES = float(os.environ.get("MAMORI_SOAK", "10"))


def a_minute(at_s: float, rss_mib: float, *, run: float = 1.0) -> Minute:
    return Minute(
        run=run, at_s=at_s, rss_mib=rss_mib, raised=3, told=3, expected=4, received=3, lost_audio_s=0.0, overloads=0
    )


def test_growth_of_memory_is_told_by_the_hour_with_an_interval() -> None:
    noise = (0.2, -0.1, -0.2, 0.1)
    minutes = [a_minute(600 + 60 * n, 300 + 6 * n / 60 + noise[n % 4]) for n in range(120)]
    found = slope(minutes)
    assert found
    assert found.low < 6 < found.high
    assert found.high - found.low < 0.2


def test_a_restart_is_no_growth() -> None:
    minutes = [a_minute(600 + 60 * n, 300 + n % 2, run=1.0) for n in range(20)]
    minutes += [a_minute(600 + 60 * n, 400 + n % 2, run=2.0) for n in range(20)]
    found = slope(minutes)
    assert found
    assert found.low < 0 < found.high


def test_nothing_is_said_of_growth_while_the_box_is_warming_up() -> None:
    assert slope([a_minute(60 * n, 100 * n) for n in range(10)]) is None


def test_a_log_that_is_complete_is_only_read(tmp_path: Path) -> None:
    log = tmp_path / "soak.jsonl"
    minutes = [a_minute(60, 300), replace(a_minute(120, 301), raised=5, told=5)]
    log.write_text("".join(json.dumps(asdict(minute)) + "\n" for minute in minutes))
    assert soak(lines=2, seconds=120, log=log) == minutes == read(log)
    assert "alerts raised 5, at the panel 5" in " ".join(words(minutes))


@pytest.mark.journey
def test_two_lines_lose_no_alert_and_take_no_more_memory_after_seconds(tmp_path: Path) -> None:
    minutes = soak(lines=2, seconds=45, every_s=20, log=tmp_path / "soak.jsonl", loop_s=60)
    last = minutes[-1]
    assert last.raised > 0
    assert last.told == last.raised
    assert last.rss_mib - minutes[0].rss_mib < 60


@pytest.mark.journey
@pytest.mark.soak
def test_thirty_lines_lose_no_alert_and_grow_no_memory(tmp_path: Path) -> None:
    minutes = soak(lines=30, seconds=MINUTES * 60, log=tmp_path / "soak.jsonl")
    print("\n".join(words(minutes)))  # noqa: T201
    last = minutes[-1]
    assert last.raised > 0
    assert last.told == last.raised
    assert last.lost_audio_s == 0
    grows = slope(minutes, warm_s=min(600.0, MINUTES * 30))
    assert grows is None or grows.low < 30, "memory grows"
