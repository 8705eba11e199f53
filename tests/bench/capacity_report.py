"""What `capacity` measured, as tables for docs/performance.md and as plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from tests.bench.capacity_steps import P95_S, PlainLadder, Step, quantile
from tests.bench.plain import PlainStep

GOALS = {"p95": P95_S, "rss": ((16, 450), (60, 900))}
_HEAD = (
    "| Lines | Agent, cores | A line | Everything, cores | RSS, PSS MiB | Alerts | Panel p50, p95, p99 s |"
    " Page p50, p95 s | Before the phrase's end | By 2 s after the script's phrase | Missing, false | Audio lost s |"
    " Holds | Gave up |"
)


def tables(steps: Sequence[Step], plain: PlainLadder | None, *, machine: str, command: str) -> str:
    """Return the figures as Markdown."""
    shares = [sum(step.customer_share for step in steps), sum(step.operator_share for step in steps)]
    customer, operator = (share / len(steps) for share in shares)
    talk = f"the customer speaks for {customer:.0%} of the time, the operator for {operator:.0%}"
    rows = [
        f"Machine: {machine}. Command: `{command}`.",
        "",
        f"Each line is in call all the time; {talk}.",
        "",
        _HEAD,
        "|" + "---|" * (_HEAD.count("|") - 1),
        *(_row(step) for step in steps),
        "",
        "![Seconds from the end of a phrase to panel and page, by lines](images/capacity-latency.svg)",
        "",
        "![Cores and memory, by lines, beside the plain way](images/capacity-load.svg)",
        "",
    ]
    if plain is not None:
        rows += _plain(steps, plain)
    missing = [f"{step.lines} lines, {what}" for step in steps for what in step.missing]
    false = [f"{step.lines} lines, {what}" for step in steps for what in step.false]
    if missing:
        rows += ["Missing: " + "; ".join(missing) + ".", ""]
    if false:
        rows += ["False: " + "; ".join(false) + ".", ""]
    return "\n".join(rows)


def carried(steps: Sequence[Step], *, whole: bool = False) -> int:
    """Return the most lines that held, with fewer lines holding too; 0 if not even the fewest did.

    `whole`: nothing was given up either.
    """
    most = 0
    for step in sorted(steps, key=lambda step: step.lines):
        if step.broken or (whole and step.gave_up):
            break
        most = step.lines
    return most


def _row(step: Step) -> str:
    everything = sum(cores for name, cores in step.cores.items() if name != "bench")
    cells = [
        f"{step.lines}",
        f"{step.agent_cores:.2f}",
        f"{step.agent_cores / step.lines:.3f}",
        f"{everything:.2f}",
        f"{step.rss_mib:.0f}, {step.pss_mib:.0f}",
        f"{len(step.waits)} of {step.expected}",
        ", ".join(_s(step.panel_s(share)) for share in (0.5, 0.95, 0.99)),
        ", ".join(_s(step.page_s(share)) for share in (0.5, 0.95)),
        f"{step.early:.0%}" if step.waits else "–",
        f"{step.in_time} of {step.expected}",
        f"{len(step.missing)}, {len(step.false)}",
        f"{step.lost_s:.1f}",
        "yes" if not step.broken else "no: " + "; ".join(step.broken),
        step.gave_up or "nothing",
    ]
    return "| " + " | ".join(cells) + " |"


def _s(seconds: float) -> str:
    return "–" if math.isnan(seconds) else f"{seconds:.2f}".replace("-", "−")


def _plain(steps: Sequence[Step], plain: PlainLadder) -> list[str]:
    ours = carried(steps)
    ratio = f"{ours / plain.carried:.2f}" if plain.carried else "–"
    way = "one recognizer for each side without voice activity in front of it (`tests/bench/plain.py`)"
    return [
        f"The plain way, {way}, holds up to p95 {plain.limit_s:.2f} s:",
        "",
        "| Lines | Cores | RSS MiB | Phrases | End of phrase to final words p50, p95 s | Audio lost s | Holds |",
        "|---|---|---|---|---|---|---|",
        *(_plain_row(step, plain) for step in sorted(plain.steps, key=lambda step: step.lines)),
        "",
        f"Lines carried: {ours} by Mamori, {plain.carried} the plain way; {ratio} times as many. Mamori gave up",
        f"nothing (neither words under way nor operators heard at once) with {carried(steps, whole=True)}.",
        "",
    ]


def _plain_row(step: PlainStep, plain: PlainLadder) -> str:
    waits = ", ".join(_s(quantile(step.waits_s, share)) for share in (0.5, 0.95))
    return (
        f"| {step.lines} | {step.cores:.2f} | {step.rss_mib:.0f} | {len(step.waits_s)} | {waits} | {step.lost_s:.1f} "
        f"| {'yes' if plain.holds(step) else 'no'} |"
    )


def plots(steps: Sequence[Step], plain: PlainLadder | None, folder: Path) -> None:
    """Draw waits, processor and memory over lines, as SVG that is the same for the same figures."""
    folder.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update({"svg.hashsalt": "mamori", "svg.fonttype": "none", "font.size": 9, "axes.grid": True})
    lines = [step.lines for step in steps]
    figure, axes = plt.subplots(figsize=(7, 3.4))
    for share, style in ((0.5, "o-"), (0.95, "s-"), (0.99, "^:")):
        axes.plot(lines, [step.panel_s(share) for step in steps], style, label=f"panel p{share * 100:.0f}")
    axes.plot(lines, [step.page_s(0.95) for step in steps], "x--", label="page p95")
    axes.axhline(P95_S, color="grey", linewidth=0.8)
    axes.annotate(f"goal: p95 {P95_S} s", (lines[0], P95_S), textcoords="offset points", xytext=(0, 3))
    axes.set(xlabel="two-sided lines, each side speaking 40 % of the time", ylabel="s from the end of the phrase")
    axes.legend()
    _save(figure, folder / "capacity-latency.svg")

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    left.plot(lines, [step.agent_cores for step in steps], "o-", label="Mamori: agent")
    right.plot(lines, [step.rss_mib for step in steps], "o-", label="Mamori: agent")
    if plain is not None:
        beside = sorted(plain.steps, key=lambda step: step.lines)
        left.plot([s.lines for s in beside], [s.cores for s in beside], "s--", label="plain way")
        right.plot([s.lines for s in beside], [s.rss_mib for s in beside], "s--", label="plain way")
    for at, goal in GOALS["rss"]:
        right.plot([at], [goal], "v", color="grey")
        right.annotate(f"goal {goal}", (at, goal), textcoords="offset points", xytext=(4, -3))
    left.set(xlabel="lines", ylabel="cores used")
    right.set(xlabel="lines", ylabel="resident memory, MiB", ylim=(0, None))
    left.legend()
    right.legend(loc="lower right")
    _save(figure, folder / "capacity-load.svg")


def _save(figure: plt.Figure, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
