"""How many lines a box carries: more and more of them until it breaks, and the same for the plain way.

Every step is an appliance of its own, started anew: real cards (paced), models, broker, panel and page. The bench plays
nothing into it: the card's plug-in reads the recording. What the bench itself takes of the cores is reported beside.
"""

from __future__ import annotations

import argparse
import os
import shlex
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from tests.bench import plain, scenes
from tests.bench.busy_floor import (
    LINES_OF_A_CARD,
    START_S,
    BusyFloor,
    Usage,
    WatchedPage,
    beats,
    pss_mib,
    rss_mib,
    told_overloads,
)
from tests.bench.capacity_steps import P95_S, Kept, PlainLadder, Step, Wait, quantile
from tests.journeys.floor import Panel

LADDER = (1, 8, 16, 32, 48, 60, 72, 84, 96, 112, 128)
GOAL_LINES = 60
"""The ladder goes so far even if a step before did not hold: each goal has its figure."""
SECONDS = {1: 30, 8: 30, 16: 75, 60: 60}
OTHERWISE_S = 45
"""How long a step counts; longest where a goal is. With less, hardly a call comes to the words that matter."""
PLAIN_FIRST, PLAIN_FIRST_S, PLAIN_S = 8, 25, 30
"""The plain way: lines and seconds of its first step, seconds of the others."""

SETTLE_S = 8.0
"""From the first call to the moment from which processor time counts: by then every line is in call."""
GRACE_S = 6.0
"""An alert due later than so long before the end of a step is not counted: it may come after it."""


def measure(
    lines: int,
    seconds: float,
    *,
    extra: str = "",
    lines_of_a_card: int = LINES_OF_A_CARD,
    meanwhile: Callable[[BusyFloor, Panel, threading.Event], object] | None = None,
) -> Step:
    """Run a floor of so many lines, all in call, for so long; `meanwhile` runs beside, until its event is set."""
    length_s = START_S + SETTLE_S + seconds
    placed = scenes.schedule(lines, start_s=START_S, length_s=length_s, of=scenes.scenes())
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        floor = BusyFloor(Path(folder), placed, length_s=length_s, extra=extra, lines_of_a_card=lines_of_a_card)
        running.callback(floor.stop)
        floor.start()
        panel = running.enter_context(closing(floor.panel()))
        page = running.enter_context(floor.page())
        floor.plug_in(panel)
        if meanwhile is not None:
            stop = threading.Event()
            beside = threading.Thread(target=meanwhile, args=(floor, panel, stop))
            beside.start()
            running.callback(beside.join)
            running.callback(stop.set)
        step = _watch(floor, panel, page, lines, length_s)
        step.stages = told_overloads(floor.said())
    return step


def _watch(floor: BusyFloor, panel: Panel, page: WatchedPage, lines: int, length_s: float) -> Step:
    begin, end = floor.epoch + START_S + SETTLE_S, floor.epoch + length_s
    tree = floor.tree()
    time.sleep(max(0.0, begin - time.time()))
    usage, rss = Usage(tree), 0.0
    while time.time() < end:
        time.sleep(1)
        rss = max(rss, rss_mib(tree["agent"]))
    cores, pss = usage.cores(), pss_mib([*tree["agent"], *tree["cards"]])
    time.sleep(2)
    speech = [sum(call.scene.spoken(side) for call in floor.placed) for side in ("customer", "operator")]
    whole = sum(call.scene.seconds for call in floor.placed)
    step = Step(
        lines=lines, seconds=end - begin, cores=cores, rss_mib=rss, pss_mib=pss, expected=0,
        customer_share=speech[0] / whole, operator_share=speech[1] / whole,
    )  # fmt: skip
    _alerts(floor, panel, page, step, length_s)
    told = beats(panel)
    step.behind_s = max((beat["behind_s"] for beat in told), default=0.0)
    if told:
        step.operator_behind_s = told[-1]["overload"]["operator_behind_s"]
        cards = told[-1]["cards"].values()
        step.overruns = sum(card["overruns"] for card in cards)
        step.lost_s = sum(card["lost_s"] for card in cards) + told[-1]["overload"]["lost_s"]
    return step


def plain_ladder(kept: Kept, *, tries: int = 3) -> PlainLadder:
    """Find how many lines the plain way carries, beginning near where the cores are used up."""
    first = kept.plain_step(PLAIN_FIRST, lambda: plain.measure(PLAIN_FIRST, PLAIN_FIRST_S))
    least = quantile(first.waits_s, 0.95)
    found = PlainLadder(steps=[first], limit_s=max(P95_S, least + 0.5))
    _say(f"plain, {first.lines} lines: {first.cores:.2f} cores, p95 {least:.2f} s")
    low, high = 0, 0
    lines = int(len(os.sched_getaffinity(0)) * 0.85 / first.cores * first.lines)
    for _ in range(tries):
        step = kept.plain_step(lines, partial(plain.measure, lines, PLAIN_S))
        found.steps.append(step)
        holds = found.holds(step)
        p95 = quantile(step.waits_s, 0.95)
        _say(f"plain, {lines} lines: {step.cores:.2f} cores, p95 {p95:.2f} s, lost {step.lost_s:.1f} s: {holds}")
        low, high = (max(low, lines), high) if holds else (low, lines)
        lines = (low + high) // 2 if low and high else round(lines * (1.12 if holds else 0.85))
        if high and high - low < high * 0.06:
            break
    return found


def ladder(lines: Sequence[int], seconds: float | None, kept: Kept) -> list[Step]:
    """Measure with more and more lines until it breaks, then between."""
    waiting = list(lines)
    steps: list[Step] = []
    while waiting:
        count = waiting.pop(0)
        try:
            step = kept.step(count, partial(measure, count, seconds or SECONDS.get(count, OTHERWISE_S)))
        except AssertionError as error:
            # What has been measured is kept, whatever kept this one from it.
            _say(f"{count} lines: not measured: {error}")
            break
        before = max((step.lines for step in steps if not step.broken), default=0)
        steps = sorted([*steps, step], key=lambda step: step.lines)
        _say(
            f"{count} lines: agent {step.agent_cores:.2f} cores, RSS {step.rss_mib:.0f} MiB, {len(step.waits)} of "
            f"{step.expected} alerts, p50 {step.panel_s(0.5):.2f} s, p95 {step.panel_s(0.95):.2f} s: "
            + ("; ".join(step.broken) or "holds")
            + (f" ({step.gave_up})" if step.gave_up else "")
        )
        if step.broken and count in lines and count >= GOAL_LINES and len(lines) > 1:
            between = (before + count) // 2
            waiting = [between] if between > before else []
    return steps


def main(arguments: Sequence[str], machine: str) -> None:
    """Measure as told on the command line; write figures, tables and plots. Stopped, it goes on where it was."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench capacity", description=main.__doc__)
    parser.add_argument("--lines", help="steps of the ladder, as 16,60; without it all, until it breaks")
    parser.add_argument("--seconds", type=float, help="length of each step")
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain way")
    parser.add_argument("--anew", action="store_true", help="begin anew although a run was stopped before its end")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="where figures and tables are written")
    parser.add_argument("--images", type=Path, help="where plots are written; docs/images for the whole ladder")
    told = parser.parse_args(arguments)
    told.out.mkdir(parents=True, exist_ok=True)
    asked = [argument for argument in arguments if argument != "--anew"]
    kept = Kept.open(told.out / "capacity.json", machine=machine, arguments=asked, anew=told.anew)
    if kept.steps or kept.plain:
        _say(f"goes on after {len(kept.steps)} steps and {len(kept.plain)} of the plain way; --anew begins anew")
    beside = None if told.no_plain else plain_ladder(kept)
    steps = ladder([int(n) for n in told.lines.split(",")] if told.lines else LADDER, told.seconds, kept)
    kept.done = True
    kept.write()
    from tests.bench import capacity_report  # noqa: PLC0415 - it knows this module, and loads a library for drawing

    command = shlex.join(["python", "-m", "tests.bench", "capacity", *asked])
    table = capacity_report.tables(steps, beside, machine=f"{machine}; {kept.date}", command=command)
    (told.out / "capacity.md").write_text(table, encoding="utf-8")
    images = told.images or (told.out if told.lines else Path("docs/images"))
    capacity_report.plots(steps, beside, images)
    _say(table)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _alerts(floor: BusyFloor, panel: Panel, page: WatchedPage, step: Step, length_s: float) -> None:
    """Compare what came with what should have come."""
    due = {
        (call.line, call.start_s): call
        for call in floor.placed
        if call.scene.kind and call.start_s + call.scene.telling_end < length_s - GRACE_S
    }
    step.expected = len(due)
    gone = {message["alert_id"] for _, message in panel.of(change="end", withdrawn=True)}
    step.withdrawn = len(gone)
    for at, message in panel.of(change="new"):
        if message["alert_id"] in gone or message["kind"] == "help":
            continue
        found = floor.words_at(message, came=at)
        if found is None or found[0].scene.kind != message["kind"]:
            place = f"{found[0].scene.call} at {found[1]:.1f} s" if found else "no call"
            step.false.append(f"line {message['seat']}: {message['kind']} {message['types']}, {place}")
            continue
        call, words_s = found
        if due.pop((call.line, call.start_s), None) is None:
            continue
        phrase = call.scene.phrase_at(words_s)
        zero, shown = floor.epoch + call.start_s, page.came(message["alert_id"])
        step.waits.append(
            Wait(
                line=call.line, call=call.scene.call, phrase=phrase.text, telling=phrase.telling,
                tentative=message["tentative"], panel_s=at - zero - phrase.end,
                page_s=None if shown is None else shown - zero - phrase.end,
                after_telling_s=at - zero - call.scene.telling_end,
            )
        )  # fmt: skip
    step.missing = [f"line {line}: {call.scene.call}" for (line, _), call in due.items()]
