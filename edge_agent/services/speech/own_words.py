"""A floor's own words: kept in a list beside a model made of the shipped one and these words."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.decoders import json_reader
from edge_agent.errors import Text, WordError
from edge_agent.services.model_store import (
    RECORD,
    InstalledModel,
    ModelKind,
    Record,
    bytes_of,
    digests_of,
    find_model,
    shipped_models,
)
from edge_agent.services.speech.choice import active_name, choose, find_speech, no_such
from edge_agent.services.speech.graph_words import HCLG, WORDS, add_words, read_labels
from edge_agent.services.speech.install import DIGEST_SHOWN, WITH_WORDS, digest_of_files, put_in_place
from edge_agent.services.speech.readings import Weight, Word, as_written, checked_word, read_sounds
from edge_agent.services.speech.refusals import cannot_write
from edge_agent.services.speech.self_test import Probe, self_test
from edge_agent.services.speech.workplace import move_out, workplace
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, writing

LIST = "words.json"
"""Lies in the folder of the model with the words."""
MOST_WORDS = 2_000
MOST_SHOWN = 5
"""Of many words that are wrong, as many are named."""
USUAL: Weight = "usual"
NOWHERE = Text("", "")


_read = json_reader(tuple[Word, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A word somebody wants to be heard.

    Attributes:
        readings: in kana; none: the word is its own reading, or keeps those it has.
        weight: None: as before, or the usual one.
        where: told before what is wrong with it; empty or a line of a file.
    """

    surface: str
    readings: tuple[str, ...] = ()
    weight: Weight | None = None
    where: Text = NOWHERE


def base_of(name: str) -> str:
    """Return the name of the model that words are added to."""
    return name.removesuffix(WITH_WORDS)


def words_of(settings: Settings, base: str) -> tuple[Word, ...]:
    """Return the words that were added to a model; raise `WordError` if the list cannot be read."""
    file = settings.installed_models / f"{base}{WITH_WORDS}" / LIST
    try:
        return _read(file.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise WordError(
            Text(f"言葉の一覧 {file} を読めません: {error}", f"The list of words {file} cannot be read: {error}"),
            Text(
                f"「mamori speech use {base}」で元のモデルに戻し、{base}{WITH_WORDS} を削除してやり直してください。",
                f"Go back with “mamori speech use {base}”, remove {base}{WITH_WORDS} and add the words again.",
            ),
        ) from error


def base_named(settings: Settings, name: str) -> str:
    """Return the base of the model that a person names; raise `ModelError` if there is neither it nor words of it."""
    base = base_of(name)
    shipped = {model.name for model in shipped_models(settings.models_folder, ModelKind.SPEECH)}
    # A base that was removed may have left its words behind: they can still be listed.
    folders = [settings.installed_models / found for found in (base, f"{base}{WITH_WORDS}")]
    if base not in shipped and not (base == Path(base).name and any((it / RECORD).is_file() for it in folders)):
        raise no_such(name)
    return base


def with_words(settings: Settings, base: str, more: Sequence[Wanted]) -> tuple[Word, ...]:
    """Return a model's added words with more of them, or some that are said in more ways.

    Raises:
        ModelError: no words can be added to the model.
        WordError: some are no words, or their readings none; the first few are named.
    """
    model = find_speech(settings, base)
    sounds = read_sounds(model.folder)
    words = {known.surface: known for known in words_of(settings, base)}
    wrong: list[tuple[Wanted, WordError]] = []
    for wanted in more:
        before = words.get(as_written(wanted.surface))
        # A word that was added already keeps what is not told anew.
        readings = wanted.readings or (before.readings if before else ())
        weight = wanted.weight or (before.weight if before else USUAL)
        try:
            word = checked_word(wanted.surface, readings, weight, sounds)
        except WordError as error:
            wrong.append((wanted, error))
            continue
        ways = tuple(dict.fromkeys((*(before.readings if before else ()), *word.readings)))
        words[word.surface] = Word(surface=word.surface, readings=ways, weight=weight)
    if wrong:
        raise _all_wrong(wrong)
    if len(words) > MOST_WORDS:
        raise WordError(
            Text(f"追加できる言葉は {MOST_WORDS} 語までです。", f"No more than {MOST_WORDS} words can be added."),
            Text("使わない言葉を「mamori speech words remove」で外してください。", "Remove some that are not needed."),
        )
    return tuple(words.values())


def without_word(settings: Settings, base: str, surface: str) -> tuple[Word, ...]:
    """Return a model's added words without one; raise `WordError` if it was not added."""
    words = words_of(settings, base)
    left = tuple(word for word in words if word.surface != as_written(surface))
    if len(left) == len(words):
        raise WordError(
            Text(f"「{surface}」は追加された言葉ではありません。", f"{surface!r} was not added."),
            Text("「mamori speech words list」で確かめてください。", "See “mamori speech words list”."),
        )
    return left


def known_from_start(settings: Settings, base: str, surfaces: Sequence[str]) -> tuple[str, ...]:
    """Return those of the words that a model knew before any were added."""
    labels = read_labels(find_speech(settings, base).folder / WORDS)
    return tuple(word for word in map(as_written, surfaces) if word in labels)


def has_model(settings: Settings, base: str) -> bool:
    """Tell whether there is a model made of the base and words."""
    return (settings.installed_models / f"{base}{WITH_WORDS}" / RECORD).is_file()


def keep(
    words: Sequence[Word], settings: Settings, db: Database, base: str, *, by: str, now: datetime, probe: Probe
) -> InstalledModel:
    """Make the model with these words, try it, and let new calls use it if they used the model or its older words.

    Without words there is nothing to make: the model with the older ones goes, and new calls that used it use the base.
    Returned is what new calls use then, or would if they used the model.

    Raises:
        ModelError: the model cannot be read, what was made of it does not pass its self-test, or there is no room for
            it or no right to write it; all stays as it was.
        WordError: a reading cannot be said with the model's sounds.
    """
    model = find_speech(settings, base)
    name = f"{base}{WITH_WORDS}"
    followed = active_name(db, settings) in {base, name}
    # What the settings name has to be there at every start, be it without words.
    if not words and settings.models.speech != name:
        _go_back(model, settings, db, by=by, now=now)
        return model
    try:
        digest = _make(model, words, settings, by=by, now=now, probe=probe)
    except OSError as error:
        raise cannot_write(settings.installed_models, error, needed=bytes_of(model.folder)) from error
    made = find_model(settings.models_folder, name, ModelKind.SPEECH, installed=settings.installed_models)
    with writing(db):
        # Not the words themselves: they may be names, and the chain is kept for good.
        detail = {"words": str(len(words)), "digest": digest}
        audit.append(db, at=now, actor=by, action="speech.words", subject=name, detail=detail)
    if followed:
        choose(db, made, settings, by=by, now=now)
    return made


def _make(
    model: InstalledModel, words: Sequence[Word], settings: Settings, *, by: str, now: datetime, probe: Probe
) -> str:  # fmt: skip
    """Put the model with the words in its place, once it has passed; return its digest."""
    name = f"{model.name}{WITH_WORDS}"
    with workplace(settings.installed_models) as place:
        folder = place / name
        # What is made anew is not copied, and neither is the record of where the model came from.
        ignored = shutil.ignore_patterns(RECORD, Path(HCLG).name)
        shutil.copytree(model.folder, folder, ignore=ignored)
        add_words(model.folder, words, folder)
        (folder / LIST).write_bytes(msgspec.json.encode(words))
        self_test(folder, shipped=settings.models_folder, probe=probe)
        files = digests_of(folder)
        digest = digest_of_files(files)
        record = Record(
            name=name,
            kind=ModelKind.SPEECH,
            version=digest[:DIGEST_SHOWN],
            licence="",
            source=model.version,
            digest=digest,
            decided_by="",
            installed_by=by,
            at=now.isoformat(),
            base=model.name,
            files=files,
        )
        put_in_place(folder, settings.installed_models / name, record)
    return digest


def _go_back(model: InstalledModel, settings: Settings, db: Database, *, by: str, now: datetime) -> None:
    """Let new calls use a base model again if they used its words, and delete the model that had them."""
    name = f"{model.name}{WITH_WORDS}"
    folder = settings.installed_models / name
    if not has_model(settings, model.name):
        return
    if active_name(db, settings) == name:
        choose(db, model, settings, by=by, now=now)
    with writing(db):
        audit.append(db, at=now, actor=by, action="speech.words", subject=name, detail={"words": "0"})
        gone = move_out(folder)
    # Out of the way: what cannot be deleted now, the next run deletes.
    shutil.rmtree(gone, ignore_errors=True)


def _all_wrong(wrong: Sequence[tuple[Wanted, WordError]]) -> WordError:
    shown, more = wrong[:MOST_SHOWN], len(wrong) - MOST_SHOWN
    ja = " ".join(f"{it.where.ja}{error.what.ja}" for it, error in shown)
    en = " ".join(f"{it.where.en}{error.what.en}" for it, error in shown)
    if more > 0:
        ja, en = f"{ja} ほか {more} 件。", f"{en} And {more} more."
    return WordError(Text(ja, en), wrong[0][1].remedy)
