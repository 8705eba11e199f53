"""Lines in call for hours: whether memory stays where it is and every alert arrives. `make soak`.

A line of JSON is written each minute to the log, so that whatever stops the run leaves what it has measured. Started
again with the same log it goes on until the minutes are complete; the appliance is then a new one, and the slope of its
memory is that within the runs.

*Lost* is an alert that the box has raised (it is in its database) and no panel was told of. *Missed* is a call whose
script demands an alert and of which none came: misheard, or the box was too slow.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge_agent.domain.alert import AlertKind
from edge_agent.services import incidents as moves
from edge_agent.store import incidents
from edge_agent.store.database import Database, open_main
from tests.bench import scenes
from tests.bench.busy_floor import START_S, BusyFloor, beats, rss_mib, told_overloads
from tests.journeys.floor import Panel

LOOP_S = 300.0
"""After this the same calls come again."""
WARM_S = 600.0
"""Minutes after a start that say nothing of the slope: models are paged in, queues and caches fill."""
MOST_ALERTS = 1_000_000
"""More than any run raises."""
GRACE_S = 5.0
"""An alert may come so long after its call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What was so at one moment. Alerts are counted since the start of the run.

    Attributes:
        run: Unix time at which the run began.
        at_s: seconds since then.
        raised, told: alerts in the box's database, and those of them that a panel was told of.
        expected, received: calls of which an alert must have come by now, and those of which one came.
    """

    run: float
    at_s: float
    rss_mib: float
    raised: int
    told: int
    expected: int
    received: int
    lost_audio_s: float
    overloads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Growth of resident memory in MiB an hour, with its 95 % interval."""

    value: float
    low: float
    high: float


def slope(minutes: Sequence[Minute], *, warm_s: float = WARM_S) -> Slope | None:
    """Return how memory grows within the runs, by least squares; None if there is too little to tell."""
    hours, rss = [], []
    for run in {minute.run for minute in minutes}:
        own = [minute for minute in minutes if minute.run == run and minute.at_s >= warm_s]
        if len(own) > 1:
            at = np.array([minute.at_s / 3600 for minute in own])
            memory = np.array([minute.rss_mib for minute in own])
            hours.append(at - at.mean())
            rss.append(memory - memory.mean())
    freedom = sum(map(len, hours)) - len(hours) - 1
    if freedom < 1:
        return None
    x, y = np.concatenate(hours), np.concatenate(rss)
    value = float(x @ y / (x @ x))
    error = float(np.sqrt(((y - value * x) ** 2).sum() / freedom / (x @ x)))
    return Slope(value=value, low=value - 1.96 * error, high=value + 1.96 * error)


def soak(*, lines: int, seconds: float, log: Path, every_s: float = 60.0, loop_s: float = LOOP_S) -> list[Minute]:
    """Run a floor until its log holds so many seconds; return all that the log holds.

    A floor that is told to run for less than a loop plays a loop of that length.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    before = read(log)
    left_s = seconds - sum(max(m.at_s for m in before if m.run == run) for run in {m.run for m in before})
    if left_s <= 0:
        return before
    placed = scenes.schedule(lines, start_s=START_S, length_s=loop_s, of=scenes.scenes(), whole=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        floor = BusyFloor(Path(folder), placed, length_s=loop_s, loop=True)
        running.callback(floor.stop)
        floor.start()
        panel = running.enter_context(closing(floor.panel()))
        db = running.enter_context(closing(open_main(floor.settings.data)))
        floor.plug_in(panel)
        while time.time() < floor.epoch + left_s:
            time.sleep(min(every_s, max(0.0, floor.epoch + left_s - time.time())))
            minute = _look(floor, panel, db, loop_s)
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(minute)) + "\n")
            _attend(floor, panel, db)
    return read(log)


def read(log: Path) -> list[Minute]:
    """Return what a log holds, nothing if there is none."""
    return [Minute(**json.loads(line)) for line in log.read_text().splitlines()] if log.is_file() else []


def _look(floor: BusyFloor, panel: Panel, db: Database, loop_s: float) -> Minute:
    raised = {incident.incident_id for incident in incidents.recent(db, MOST_ALERTS)}
    told = {message["alert_id"]: (at, message) for at, message in panel.of(change="new")}
    deadline = time.time() + GRACE_S
    while raised - told.keys() and time.time() < deadline:
        time.sleep(0.1)
        told = {message["alert_id"]: (at, message) for at, message in panel.of(change="new")}
    now = time.time()
    expected = received = 0
    for number in range(int((now - floor.epoch) / loop_s) + 1):
        for call in floor.placed:
            begin = floor.epoch + number * loop_s + call.start_s
            if call.scene.kind and begin + call.scene.seconds + GRACE_S < now:
                expected += 1
                received += any(
                    message["seat"] == f"{call.line:02}"
                    and message["kind"] == call.scene.kind
                    and begin <= at <= begin + call.scene.seconds + GRACE_S
                    for at, message in told.values()
                )
    heartbeat = beats(panel)[-1:]
    return Minute(
        run=floor.epoch, at_s=now - floor.epoch, rss_mib=rss_mib([floor.child("agent")]),
        raised=len(raised), told=len(raised & told.keys()), expected=expected, received=received,
        lost_audio_s=sum(
            beat["overload"]["lost_s"] + sum(card["lost_s"] for card in beat["cards"].values()) for beat in heartbeat
        ),
        overloads=len(told_overloads(floor.said())),
    )  # fmt: skip


def _attend(floor: BusyFloor, panel: Panel, db: Database) -> None:
    """Deal with the alerts of calls that are over, as people would: open ones would grow in number for hours."""
    ended = {message["alert_id"] for _, message in panel.of(change="end")}
    for incident in incidents.unfinished(db):
        if incident.incident_id in ended and incident.alert.kind is not AlertKind.HELP:
            now = datetime.now(UTC)
            moves.take(db, incident.incident_id, box=floor.settings.box, by="soak", now=now)
            moves.close(db, incident.incident_id, box=floor.settings.box, by="soak", now=now)


def words(minutes: Sequence[Minute]) -> list[str]:
    """Say what a log tells."""
    last = {run: max((m for m in minutes if m.run == run), key=lambda m: m.at_s) for run in {m.run for m in minutes}}
    ends = list(last.values())
    grows = slope(minutes)
    hours = sum(end.at_s for end in ends) / 3600
    growth = f"{grows.value:+.2f} MiB an hour ({grows.low:+.2f} to {grows.high:+.2f})" if grows else "too short to tell"
    least, most = min(m.rss_mib for m in minutes), max(m.rss_mib for m in minutes)
    raised, told = sum(end.raised for end in ends), sum(end.told for end in ends)
    expected, received = sum(end.expected for end in ends), sum(end.received for end in ends)
    return [
        f"{hours:.2f} h in {len(ends)} run(s)",
        f"RSS {least:.0f} to {most:.0f} MiB, slope after {WARM_S / 60:.0f} min: {growth}",
        f"alerts raised {raised}, at the panel {told}; calls that demand one {expected}, heard {received}",
        f"audio lost {sum(e.lost_audio_s for e in ends):.1f} s, stages of overload {sum(e.overloads for e in ends)}",
    ]


def main() -> None:
    """Soak as told on the command line, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--lines", type=int, default=30)
    parser.add_argument("--log", type=Path, default=Path("var/soak/soak.jsonl"))
    told = parser.parse_args()
    minutes = soak(lines=told.lines, seconds=told.minutes * 60, log=told.log)
    print("\n".join(f"- {line}" for line in words(minutes)))  # noqa: T201


if __name__ == "__main__":
    main()
