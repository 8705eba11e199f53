"""Buttons under the desks: which there are, a test, and a press from the terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent import button_daemon, log
from edge_agent import settings as settings_module
from edge_agent.cli.appliance import SETTINGS
from edge_agent.cli.box import DATA, on_box, settings_of
from edge_agent.cli.words import show
from edge_agent.domain.button import Effect, Press
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.errors import ButtonError, Text
from edge_agent.services import buttons as services
from edge_agent.store.database import open_live, open_main

BY = "mamori button"
"""The actor of what is done on the box itself."""
EFFECTS = {
    Effect.OPENED: Text("応援要請を出しました。", "A call for help is on its way."),
    Effect.RAISED: Text("緊急に引き上げました。", "The call is an emergency now."),
    Effect.REPEATED: Text("応援要請を繰り返しました。", "The call for help is repeated."),
    Effect.TAKEN_BACK: Text("応援要請を取り下げました。", "The call for help is withdrawn."),
    Effect.NOTHING: Text("記録しました。取り下げるものはありません。", "Kept. There is nothing to withdraw."),
    Effect.TESTED: Text("テストとして記録しました。", "Kept as a test."),
    Effect.PAUSED: Text("一時停止しました。", "Listening is paused."),
    Effect.RESUMED: Text("一時停止を終えました。", "The pause is over."),
}


@click.command()
@SETTINGS
def buttons(*, settings_file: Path) -> None:
    """ボタンを見張る（systemd が起動します） / watch the buttons (started by systemd)."""
    log.set_up()
    button_daemon.run(settings_module.load(settings_file))


@click.command()
@click.option("--seat", required=True, help="席 / seat")
@click.option("--gesture", type=click.Choice([gesture.value for gesture in Gesture]), default="help", show_default=True)
@DATA
def press(*, seat: str, gesture: str, data: Path) -> None:
    """端末からボタンを押す（実演・動作確認用） / press a seat's button from the terminal."""
    settings = settings_of(data)
    if seat not in {known.seat for known in settings.seats}:
        raise ButtonError(
            Text(f"席「{seat}」は設定の [[seats]] にありません。", f"There is no seat {seat!r} among [[seats]]."),
            Text("設定に書かれた席を指定してください。", "Name a seat of the settings."),
        )
    virtual = [
        button.name
        for button in settings.buttons
        if button.seat == seat and button.kind == "virtual" and button.does == "help"
    ]
    now = datetime.now(UTC)
    pressed = Press(
        press_id=services.new_press_id(),
        button=virtual[0] if virtual else f"terminal-{seat}",
        seat=seat,
        gesture=Gesture(gesture),
        source=PressSource.VIRTUAL,
        at=now,
    )
    db, live = open_main(settings.data), open_live(settings.run)
    try:
        call_id = services.call_at(live, seat)
        effect = services.press(db, pressed, box=settings.box, call_id=call_id, now=now)
    finally:
        db.close()
        live.close()
    show(EFFECTS[effect])


@click.group()
def button() -> None:
    """席のボタン / buttons under the desks."""


@button.command("list")
@DATA
def list_buttons(*, data: Path) -> None:
    """ボタンと、その状態・電池・最後に動いた時刻を一覧する / list the buttons and how they are."""
    with on_box(data) as (settings, db):
        reports = services.overview(db, settings=settings, now=datetime.now(UTC))
    for report in reports:
        state = report.button
        wrong = ",".join(report.troubles) or "ok"
        battery = "-" if state.battery is None else f"{state.battery}%"
        worked = f"{state.worked_at.astimezone():%Y-%m-%d %H:%M}" if state.worked_at else "-"
        click.echo(f"{state.name}\t{state.seat}\t{state.source.value}\t{wrong}\t{battery}\t{worked}")


@button.command("test")
@click.argument("names", nargs=-1)
@DATA
def begin_test(*, names: tuple[str, ...], data: Path) -> None:
    """毎日のテストを始める。名前を省くと全部 / begin the daily test; without names, of all buttons."""
    with on_box(data) as (settings, db):
        begun = services.begin_test(db, names, settings=settings, by=BY, now=datetime.now(UTC))
    minutes = int(services.TEST_WINDOW.total_seconds() // 60)
    show(
        Text(
            f"{len(begun)} 個のボタンのテストを始めました。{minutes} 分以内に1回ずつ短く押すと、通知せずに記録します。",
            f"Testing {len(begun)} buttons: press each once, briefly, within {minutes} minutes. Nobody is called.",
        )
    )
