"""`mamori speech words`: a floor's own words in a speech model."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import click

from edge_agent.adapters.speech_probe import probe
from edge_agent.cli.box import DATA, on_box
from edge_agent.cli.speech_follow import follow
from edge_agent.cli.words import say, show
from edge_agent.errors import Text, WordError
from edge_agent.services.speech import choice as choosing
from edge_agent.services.speech import own_words
from edge_agent.services.speech.own_words import Wanted
from edge_agent.services.speech.readings import Weight, Word
from edge_agent.services.speech.word_list import read_list
from edge_agent.settings import Settings
from edge_agent.store.database import Database

BASE = click.option("--model", "base", help="対象のモデル（省略時は使用中のもの） / model (default: the one in use)")
STDIN = Path("-")


def person() -> str:
    """Return who gives the command."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def counted_words(count: int) -> str:
    """Return how many words there are, in English."""
    return f"{count} word" if count == 1 else f"{count} words"


@click.group()
def words() -> None:
    """現場の言葉（商品名など）を足す / a floor's own words (product names, say)."""


@words.command()
@click.argument("word", required=False)
@click.argument("readings", nargs=-1)
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="言葉の一覧から足す。1行に 言葉・読み・頻度（タブ区切り、「-」は標準入力） / "
    "add the words of a file, tab-separated: word, readings, weight (-: standard input)",
)
@click.option(
    "--weight",
    type=click.Choice(list(get_args(Weight))),
    help="どのくらい使われる言葉か（省略時は前のまま、初めてなら usual） / "
    "how often it is said (default: as before, usual for a new one)",
)
@BASE
@DATA
def add(
    *,
    word: str | None,
    readings: tuple[str, ...],
    file: Path | None,
    weight: Weight | None,
    base: str | None,
    data: Path,
) -> None:
    """言葉と、その読み（かな、いくつでも）を足す / add a word with its readings in kana, or the words of a file."""
    if (word is None) == (file is None):
        # Told as click tells its own errors of usage.
        raise click.UsageError("WORD か --from FILE のどちらか一方が必要です / give either WORD or --from FILE")
    with on_box(data) as (settings, db):
        to = _named(settings, db, base)
        if file is not None:
            more = read_list(_read(file), "-" if file == STDIN else file.name, weight=weight)
        else:
            more = (Wanted(surface=word or "", readings=readings, weight=weight),)
        listed = own_words.with_words(settings, to, more)
        _tell_known(settings, to, more)
        model = own_words.keep(listed, settings, db, to, by=person(), now=datetime.now(UTC), probe=probe)
        what = Text(f"「{word}」", repr(word)) if word else Text(f"{len(more)} 語", counted_words(len(more)))
        show(
            Text(
                f"{what.ja}を足しました（全部で {len(listed)} 語）。",
                f"Added {what.en} ({counted_words(len(listed))} in all).",
            )
        )
        _follow_words(db, settings, model.name, model.version)


@words.command("remove")
@click.argument("word")
@BASE
@DATA
def remove_word(*, word: str, base: str | None, data: Path) -> None:
    """足した言葉を外す / take an added word away."""
    with on_box(data) as (settings, db):
        to = _named(settings, db, base)
        listed = own_words.without_word(settings, to, word)
        _keep_fewer(
            settings,
            db,
            to,
            listed,
            Text(
                f"「{word}」を外しました（残り {len(listed)} 語）。",
                f"Removed {word!r} ({counted_words(len(listed))} left).",
            ),
        )


@words.command()
@BASE
@DATA
def rebuild(*, base: str | None, data: Path) -> None:
    """製品のモデルが新しくなったあと、足した言葉を入れ直す / put the words into a newer base model."""
    with on_box(data) as (settings, db):
        to = _named(settings, db, base)
        listed = own_words.words_of(settings, to)
        if not listed and not own_words.has_model(settings, to):
            raise WordError(
                Text(
                    f"「{to}」に足した言葉がなく、入れ直すものがありません。",
                    f"No words were added to {to!r}: nothing to put in.",
                ),
                Text("「mamori speech words add」で足してください。", "Add some with “mamori speech words add”."),
            )
        _keep_fewer(
            settings,
            db,
            to,
            listed,
            Text(f"{len(listed)} 語を入れ直しました。", f"Put {counted_words(len(listed))} in again."),
        )


@words.command("list")
@click.option("--json", "as_json", is_flag=True, help="1つのJSON / one JSON array")
@BASE
@DATA
def list_words(*, as_json: bool, base: str | None, data: Path) -> None:
    """足した言葉を一覧する（--from で読める形） / list the added words, as --from reads them."""
    with on_box(data) as (settings, db):
        to = _named(settings, db, base)
        listed = own_words.words_of(settings, to)
    if as_json:
        rows = [{"word": it.surface, "readings": it.readings, "weight": it.weight} for it in listed]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not listed:
        # Not on standard output, which may become a list of words.
        say(Text(f"「{to}」に足した言葉はありません。", f"No words were added to {to!r}."))
    for word in listed:
        click.echo(_row(word))


def _row(word: Word) -> str:
    return f"{word.surface}\t{' '.join(word.readings)}\t{word.weight}"


def _named(settings: Settings, db: Database, base: str | None) -> str:
    return own_words.base_named(settings, base or choosing.active_name(db, settings))


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise WordError(
            Text(
                f"言葉の一覧 {file} を読めません（{error.strerror}）。",
                f"The list of words {file} cannot be read ({error.strerror}).",
            ),
            Text("ファイル名と読む権限を確かめてください。", "Check its name and that it may be read."),
        ) from error


def _tell_known(settings: Settings, base: str, more: Sequence[Wanted]) -> None:
    known = own_words.known_from_start(settings, base, [it.surface for it in more])
    if known:
        names = "、".join(known[: own_words.MOST_SHOWN]) + ("…" if len(known) > own_words.MOST_SHOWN else "")
        say(Text(f"元からある言葉です。読みを足します: {names}", f"Known to the model; readings are added: {names}"))


def _keep_fewer(settings: Settings, db: Database, base: str, listed: Sequence[Word], done: Text) -> None:
    """Make the model with what is left, or go back to the base where nothing is."""
    followed = own_words.base_of(choosing.active_name(db, settings)) == base
    model = own_words.keep(listed, settings, db, base, by=person(), now=datetime.now(UTC), probe=probe)
    if listed:
        show(done)
    else:
        show(
            Text(
                f"足した言葉がなくなりました。元の「{base}」に戻ります。",
                f"No added words are left; it is {base!r} again, without any.",
            )
        )
    if listed or followed:
        _follow_words(db, settings, model.name, model.version)


def _follow_words(db: Database, settings: Settings, name: str, version: str) -> None:
    if choosing.active_name(db, settings) == name:
        follow(db, settings, version)
    else:
        show(Text(f"使うには: mamori speech use {name}", f"To use them: mamori speech use {name}"))
