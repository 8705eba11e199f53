"""Speech models: install, choose, measure, and give them a floor's own words."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from edge_agent.adapters.speech_probe import probe
from edge_agent.cli.box import DATA, on_box
from edge_agent.cli.speech_evaluate import evaluate
from edge_agent.cli.speech_follow import agent_runs, follow
from edge_agent.cli.speech_words import counted_words, person, words
from edge_agent.cli.words import in_languages, say, say_how_far, show
from edge_agent.errors import Text, WordError
from edge_agent.services.model_store import RECORD, bytes_of, read_record
from edge_agent.services.speech import choice as choosing
from edge_agent.services.speech import install as installing
from edge_agent.services.speech import own_words
from edge_agent.services.speech.self_test import self_test
from edge_agent.settings import Settings
from edge_agent.store import speech as table

NAME = click.argument("name")
JSON = click.option("--json", "as_json", is_flag=True, help="1つのJSON / one JSON object")


@click.group()
def speech() -> None:
    """音声認識のモデル / speech models."""


speech.add_command(evaluate)
speech.add_command(words)


@speech.command()
@click.argument("source")
@click.option("--name", help="付ける名前（省略時はモデル自身の名前） / what to call it (default: its own name)")
@click.option(
    "--accept-unknown",
    is_flag=True,
    help="製品が知らないモデルでも、自分の責任で入れる（記録に残る） / vouch for a model the product does not know",
)
@DATA
def install(*, source: str, name: str | None, accept_unknown: bool, data: Path) -> None:
    """モデルを zip・フォルダー・URL から入れて確かめる / install a model from a zip, folder or address, and try it."""

    def decide(told: Text) -> bool:
        say(told)
        if accept_unknown:
            return True
        question = in_languages(Text("このモデルを入れますか", "Install it"))
        if sys.stdin.isatty():
            return click.confirm(question, err=True)
        say(Text("入れるなら --accept-unknown を付けてください。", "To install it all the same give --accept-unknown."))
        return False

    with on_box(data) as (settings, db):
        model, passed = installing.install(
            source,
            settings,
            db,
            name=name,
            by=person(),
            now=datetime.now(UTC),
            decide=decide,
            probe=probe,
            progress=_progress,
        )
    show(
        Text(
            f"「{model.name}」を入れました（自己診断の文字誤り率 {passed.cer:.0%}）。"
            f"使うには: mamori speech use {model.name}",
            f"Installed {model.name!r} (self-test: {passed.cer:.0%} of characters wrong). "
            f"To use it: mamori speech use {model.name}",
        )
    )


@speech.command("list")
@JSON
@DATA
def list_models(*, as_json: bool, data: Path) -> None:
    """モデルを一覧する（* が新しい通話に使うもの） / list the models (* is the one for new calls)."""
    with on_box(data) as (settings, db):
        models, chosen, runs = installing.listing(settings, db), table.choice(db), agent_runs(settings)
    if as_json:
        refused = {"version": chosen.refused, "reason_ja": chosen.reason_ja, "reason_en": chosen.reason_en}
        out = {
            "models": [asdict(model) for model in models],
            "agent_runs": runs,
            "running": chosen.running if runs else "",
            "refused": refused if chosen.refused else None,
        }
        click.echo(json.dumps(out, ensure_ascii=False))
        return
    for model in models:
        kind = Text("製品", "shipped") if model.shipped else Text("追加", "installed")
        click.echo(f"{'*' if model.active else ' '} {model.version}\t{in_languages(kind, '/')}")
        if model.stale:
            show(
                Text(
                    "  元のモデルが新しくなっています。「mamori speech words rebuild」で作り直してください。",
                    "  Its base has changed since: make it anew with “mamori speech words rebuild”.",
                )
            )
    if not runs:
        # What it noted last was true until it ended.
        show(Text("エージェントは動いていません。", "The agent is not running."))
    elif chosen.running:
        show(Text(f"動作中のモデル: {chosen.running}", f"In use by the agent: {chosen.running}"))
    if chosen.refused:
        show(
            Text(
                f"使えず元に戻したモデル: {chosen.refused}（{chosen.reason_ja}）",
                f"Refused and gone back from: {chosen.refused} ({chosen.reason_en})",
            )
        )


@speech.command("show")
@NAME
@JSON
@DATA
def show_model(*, name: str, as_json: bool, data: Path) -> None:
    """モデルを確かめ、どこから来たかを表示する / check a model and tell where it came from."""
    with on_box(data) as (settings, _):
        model = choosing.find_speech(settings, name)
        record = read_record(model.folder) if (model.folder / RECORD).is_file() else None
        added = own_words.words_of(settings, own_words.base_of(name)) if record and record.base else ()
    size = bytes_of(model.folder)
    if as_json:
        known = msgspec.to_builtins(record) if record else {}
        known.pop("files", None)
        out = {"name": name, "version": model.version, "bytes": size, "folder": str(model.folder)}
        click.echo(json.dumps(out | {"record": known or None, "words": len(added)}, ensure_ascii=False))
        return
    click.echo(f"{model.version}\t{size / 1e6:.0f} MB\t{model.folder}")
    if record:
        for label, value in (
            (Text("入手元", "source"), record.source),
            (Text("SHA-256", "SHA-256"), record.digest),
            (Text("日時", "at"), record.at),
            (Text("入れた人", "installed by"), record.installed_by),
            (Text("認めた人", "vouched for by"), record.decided_by),
            (Text("ライセンス", "licence"), record.licence),
            (Text("足した言葉", "added words"), str(len(added))),
        ):
            click.echo(f"{in_languages(label, '/')}: {value or '-'}")
    show(Text("ファイルはすべて記録どおりです。", "All files are as recorded."))


@speech.command()
@NAME
@DATA
def use(*, name: str, data: Path) -> None:
    """新しい通話に使うモデルを切り替える（通話中のものは元のまま） / choose the model for new calls."""
    with on_box(data) as (settings, db):
        model = choosing.find_speech(settings, name)
        passed = self_test(model.folder, shipped=settings.models_folder, probe=probe)
        choosing.choose(db, model, settings, by=person(), now=datetime.now(UTC))
        say(Text(f"自己診断: 文字誤り率 {passed.cer:.0%}", f"Self-test: {passed.cer:.0%} of characters wrong"))
        follow(db, settings, model.version)


@speech.command()
@NAME
@click.option("--yes", is_flag=True, help="足した言葉ごと、聞かずに削除する / delete it with its added words unasked")
@DATA
def remove(*, name: str, yes: bool, data: Path) -> None:
    """追加したモデルを削除する / delete an installed model."""
    with on_box(data) as (settings, db):
        # What is in use stays anyway: nobody need be asked about it.
        _may_go(settings, name, yes=yes or choosing.active_name(db, settings) == name)
        installing.remove(name, settings, db, by=person(), now=datetime.now(UTC))
    show(Text(f"「{name}」を削除しました。", f"Removed {name!r}."))


def _may_go(settings: Settings, name: str, *, yes: bool) -> None:
    """Ask before the only copy of a floor's words goes; raise `WordError` if nobody says yes."""
    base = own_words.base_of(name)
    if yes or name == base or not own_words.has_model(settings, base):
        return
    try:
        count = len(own_words.words_of(settings, base))
    except WordError:
        # A list that cannot be read is no reason to keep it: removing it is the remedy.
        return
    if not count:
        return
    how = f"mamori speech words list --model {base} > words.tsv"
    say(
        Text(
            f"「{name}」とともに、足した {count} 語の一覧も消えます。控えを取るには: {how}",
            f"With {name!r} the list of the {counted_words(count)} added goes too. To keep a copy: {how}",
        )
    )
    asked = in_languages(Text("削除しますか", "Remove it"))
    if not (sys.stdin.isatty() and click.confirm(asked, err=True)):
        raise WordError(
            Text(f"「{name}」は削除していません。", f"{name!r} was not removed."),
            Text("削除するなら --yes を付けてください。", "To remove it give --yes."),
        )


def _progress(done: int, total: int) -> None:
    share = f"{done / total:4.0%}" if total else "    "
    say_how_far(f"{share} {done / 1e6:8.1f} MB", over=bool(total) and done >= total)
