"""How the lines are heard, for whoever wires them up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from edge_agent.cli.box import DATA, settings_of
from edge_agent.cli.words import show
from edge_agent.domain.call import Speaker
from edge_agent.domain.line_trouble import explained
from edge_agent.domain.overload import Overloaded, meaning
from edge_agent.errors import Text
from edge_agent.store import cards, line_health, overload
from edge_agent.store.database import open_live

NOTHING = Text(
    "まだ何も測られていません。edge-agent が動いているかを確認してください。",
    "Nothing has been measured yet. Check that edge-agent is running.",
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON で出力 / print JSON")
@DATA
def lines(*, data: Path, as_json: bool) -> None:
    """回線の音量・異常と、カードの取りこぼしを一覧する / list lines and cards: levels, troubles, losses."""
    with closing(open_live(settings_of(data).run)) as db:
        reports, tapped, given_up = line_health.everything(db), cards.everything(db), overload.current(db)
    if not reports and not as_json:
        show(NOTHING)
    for report in reports:
        if as_json:
            sides = {speaker.value: asdict(report.of(speaker)) for speaker in Speaker}
            told = {"seat": report.seat, **sides, "troubles": [trouble.name for trouble in report.troubles]}
            click.echo(json.dumps(told))
            continue
        columns = [
            f"{speaker}\t{side.level_dbfs:.0f} dBFS\tpeak {side.peak_dbfs:.0f}\tspeech {side.speech:.0%}"
            f"\tclipped {side.clipped:.2%}"
            for speaker in Speaker
            for side in [report.of(speaker)]
        ]
        wrong = ",".join(trouble.name for trouble in report.troubles) or "ok"
        click.echo("\t".join([report.seat, *columns, wrong]))
        for trouble in report.troubles:
            show(explained(trouble))
    for card in tapped:
        if as_json:
            click.echo(json.dumps({"device": card.name} | asdict(card)))
            continue
        state = "ok" if card.running else "lost"
        lost = f"overruns {card.overruns}\tlosses {card.losses}\tmissing {card.dropped / 10:.1f} s"
        click.echo(f"{card.name}\t{card.card}\t{lost}\t{state}")
    if given_up is not None:
        _show_overload(given_up, as_json=as_json)


def _show_overload(given_up: Overloaded, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"overload": given_up.stage.word, "resting": given_up.resting}))
    elif told := meaning(given_up):
        show(told.what)
        show(told.remedy)
