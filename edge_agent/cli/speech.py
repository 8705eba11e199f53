"""Speech models: install, choose, measure, and give them a floor's own words."""

from __future__ import annotations

import getpass
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click

from edge_agent.adapters.speech_probe import probe
from edge_agent.cli.box import DATA, on_box
from edge_agent.cli.speech_evaluate import evaluate
from edge_agent.cli.words import languages, say, say_how_far, show
from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import RECORD, read_record
from edge_agent.services.speech import choice as choosing
from edge_agent.services.speech import install as installing
from edge_agent.services.speech import own_words
from edge_agent.services.speech.readings import Weight
from edge_agent.services.speech.self_test import self_test
from edge_agent.settings import Settings
from edge_agent.store import speech as table
from edge_agent.store.database import Database

AGENT_TAKES_S = 180.0
"""How long a switch may take the agent: it tries and loads the model first."""

NAME = click.argument("name")
BASE = click.option("--model", "base", help="対象のモデル（省略時は使用中のもの） / model (default: the one in use)")


def _person() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


@click.group()
def speech() -> None:
    """音声認識のモデル / speech models."""


speech.add_command(evaluate)


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
        question = " / ".join(Text("このモデルを入れますか", "Install it").in_language(it) for it in languages())
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
            by=_person(),
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
@DATA
def list_models(*, data: Path) -> None:
    """モデルを一覧する（* が新しい通話に使うもの） / list the models (* is the one for new calls)."""
    with on_box(data) as (settings, db):
        models, chosen = installing.listing(settings, db), table.choice(db)
    for model in models:
        kind = Text("製品", "shipped") if model.shipped else Text("追加", "installed")
        click.echo(f"{'*' if model.active else ' '} {model.version}\t{kind.in_language(languages()[0])}")
        if model.stale:
            show(
                Text(
                    "  元のモデルが新しくなっています。「mamori speech words rebuild」で作り直してください。",
                    "  Its base has changed since: make it anew with “mamori speech words rebuild”.",
                )
            )
    if chosen.running:
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
@DATA
def show_model(*, name: str, data: Path) -> None:
    """モデルを確かめ、どこから来たかを表示する / check a model and tell where it came from."""
    with on_box(data) as (settings, _):
        model = choosing.find_speech(settings, name)
        record = read_record(model.folder) if (model.folder / RECORD).is_file() else None
        words = own_words.words_of(settings, own_words.base_of(name)) if record and record.base else ()
    size = sum(file.stat().st_size for file in model.folder.rglob("*") if file.is_file()) / 1e6
    click.echo(f"{model.version}\t{size:.0f} MB\t{model.folder}")
    if record:
        click.echo(f"source: {record.source}\nsha256: {record.digest}\nat: {record.at}  by: {record.installed_by}")
        click.echo(f"vouched for by: {record.decided_by or '-'}  licence: {record.licence or '-'}  words: {len(words)}")
    show(Text("ファイルはすべて記録どおりです。", "All files are as recorded."))


@speech.command()
@NAME
@DATA
def use(*, name: str, data: Path) -> None:
    """新しい通話に使うモデルを切り替える（通話中のものは元のまま） / choose the model for new calls."""
    with on_box(data) as (settings, db):
        model = choosing.find_speech(settings, name)
        passed = self_test(model.folder, shipped=settings.models_folder, probe=probe)
        choosing.choose(db, model, settings, by=_person(), now=datetime.now(UTC))
        say(Text(f"自己診断: 文字誤り率 {passed.cer:.0%}", f"Self-test: {passed.cer:.0%} of characters wrong"))
        _follow(db, settings, model.version)


@speech.command()
@NAME
@DATA
def remove(*, name: str, data: Path) -> None:
    """追加したモデルを削除する / delete an installed model."""
    with on_box(data) as (settings, db):
        installing.remove(name, settings, db, by=_person(), now=datetime.now(UTC))
    show(Text(f"「{name}」を削除しました。", f"Removed {name!r}."))


@speech.group()
def words() -> None:
    """現場の言葉（商品名など）を足す / a floor's own words (product names, say)."""


@words.command()
@click.argument("word")
@click.argument("readings", nargs=-1)
@click.option(
    "--weight",
    type=click.Choice(list(get_args(Weight))),
    default="usual",
    show_default=True,
    help="どのくらい使われる言葉か / how often it is said",
)
@BASE
@DATA
def add(*, word: str, readings: tuple[str, ...], weight: Weight, base: str | None, data: Path) -> None:
    """言葉と、その読み（かな、いくつでも）を足す / add a word with its readings in kana."""
    with on_box(data) as (settings, db):
        to = own_words.base_of(base or choosing.active_name(db, settings))
        listed = own_words.with_word(settings, to, word, readings, weight)
        if own_words.is_known(settings, to, word):
            say(Text(f"「{word}」は元からある言葉です。読みを足します。", f"{word!r} was known; readings are added."))
        model = own_words.keep(listed, settings, db, to, by=_person(), now=datetime.now(UTC), probe=probe)
        show(Text(f"「{word}」を足しました（{len(listed)} 語）。", f"Added {word!r} ({len(listed)} words)."))
        _follow_words(db, settings, model.name, model.version)


@words.command("remove")
@click.argument("word")
@BASE
@DATA
def remove_word(*, word: str, base: str | None, data: Path) -> None:
    """足した言葉を外す / take an added word away."""
    with on_box(data) as (settings, db):
        to = own_words.base_of(base or choosing.active_name(db, settings))
        listed = own_words.without_word(settings, to, word)
        model = own_words.keep(listed, settings, db, to, by=_person(), now=datetime.now(UTC), probe=probe)
        show(Text(f"「{word}」を外しました（{len(listed)} 語）。", f"Removed {word!r} ({len(listed)} words)."))
        _follow_words(db, settings, model.name, model.version)


@words.command()
@BASE
@DATA
def rebuild(*, base: str | None, data: Path) -> None:
    """製品のモデルが新しくなったあと、足した言葉を入れ直す / put the words into a newer base model."""
    with on_box(data) as (settings, db):
        to = own_words.base_of(base or choosing.active_name(db, settings))
        listed = own_words.words_of(settings, to)
        model = own_words.keep(listed, settings, db, to, by=_person(), now=datetime.now(UTC), probe=probe)
        show(Text(f"{len(listed)} 語を入れ直しました。", f"Put {len(listed)} words in again."))
        _follow_words(db, settings, model.name, model.version)


@words.command("list")
@BASE
@DATA
def list_words(*, base: str | None, data: Path) -> None:
    """足した言葉を一覧する / list the added words."""
    with on_box(data) as (settings, db):
        to = own_words.base_of(base or choosing.active_name(db, settings))
        for word in own_words.words_of(settings, to):
            click.echo(f"{word.surface}\t{' '.join(word.readings)}\t{word.weight}")


def _follow_words(db: Database, settings: Settings, name: str, version: str) -> None:
    if choosing.active_name(db, settings) == name:
        _follow(db, settings, version)
    else:
        show(Text(f"使うには: mamori speech use {name}", f"To use them: mamori speech use {name}"))


def _follow(db: Database, settings: Settings, version: str) -> None:
    """Wait for a running agent to take the model; raise `ModelError` if it went back from it."""
    if not (settings.run / "agent.ready").exists():
        show(Text(f"次の起動から {version} を使います。", f"{version} is used from the next start on."))
        return
    say(Text("動作中のエージェントが切り替えています…", "The running agent is switching…"))
    give_up = time.monotonic() + AGENT_TAKES_S
    while time.monotonic() < give_up:
        now = table.choice(db)
        if now.running == version:
            show(Text(f"新しい通話から {version} を使います。", f"New calls use {version}."))
            return
        if now.refused == version:
            raise ModelError(
                Text(f"元に戻しました: {now.reason_ja}", f"Gone back from it: {now.reason_en}"),
                Text("通話は元のモデルで続いています。", "Calls go on with the model before."),
            )
        time.sleep(0.2)
    show(
        Text(
            "まだ切り替わっていません。「mamori speech list」で確かめてください。",
            "Not switched yet; see “mamori speech list”.",
        )
    )


def _progress(done: int, total: int) -> None:
    share = f"{done / total:4.0%}" if total else "    "
    say_how_far(f"{share} {done / 1e6:8.1f} MB", over=bool(total) and done >= total)
