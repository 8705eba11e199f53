"""A floor's own words: kept in a list beside a model made of the shipped one and these words."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.errors import Text, WordError
from edge_agent.services.model_store import InstalledModel, ModelKind, Record, digests_of, find_model
from edge_agent.services.speech.choice import active_name, choose, find_speech
from edge_agent.services.speech.graph_words import HCLG, WORDS, add_words, read_labels
from edge_agent.services.speech.install import DIGEST_SHOWN, WITH_WORDS, digest_of_files, put_in_place
from edge_agent.services.speech.readings import Weight, Word, as_written, checked_word, read_sounds
from edge_agent.services.speech.self_test import Probe, self_test
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, writing

LIST = "words.json"
"""Lies in the folder of the model with the words."""
MOST_WORDS = 2_000


def base_of(name: str) -> str:
    """Return the name of the model that words are added to."""
    return name.removesuffix(WITH_WORDS)


def words_of(settings: Settings, base: str) -> tuple[Word, ...]:
    """Return the words that were added to a model; raise `WordError` if the list cannot be read."""
    file = settings.installed_models / f"{base}{WITH_WORDS}" / LIST
    try:
        return msgspec.json.decode(file.read_bytes(), type=tuple[Word, ...])
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


def with_word(
    settings: Settings, base: str, surface: str, readings: tuple[str, ...], weight: Weight
) -> tuple[Word, ...]:
    """Return a model's added words with one more, or one that is said in more ways.

    Raises:
        ModelError: no words can be added to the model.
        WordError: the word or a reading of it is none.
    """
    model = find_speech(settings, base)
    word = checked_word(surface, readings, weight, read_sounds(model.folder))
    words = {known.surface: known for known in words_of(settings, base)}
    if before := words.get(word.surface):
        ways = tuple(dict.fromkeys((*before.readings, *word.readings)))
        word = Word(surface=word.surface, readings=ways, weight=weight)
    words[word.surface] = word
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


def is_known(settings: Settings, base: str, surface: str) -> bool:
    """Tell whether a model knew a word from the start."""
    return as_written(surface) in read_labels(find_speech(settings, base).folder / WORDS)


def keep(
    words: Sequence[Word], settings: Settings, db: Database, base: str, *, by: str, now: datetime, probe: Probe
) -> InstalledModel:
    """Make the model with these words, try it, and let new calls use it if they used the model or its older words.

    Raises:
        ModelError: the model cannot be read, or what was made of it does not pass its self-test; all stays as it was.
        WordError: a reading cannot be said with the model's sounds.
    """
    model = find_speech(settings, base)
    name = f"{base}{WITH_WORDS}"
    followed = active_name(db, settings) in {base, name}
    settings.installed_models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.installed_models, prefix=".adding-") as adding:
        folder = Path(adding) / name
        # What is made anew is not copied, and neither is the record of where the model came from.
        ignored = shutil.ignore_patterns("installed.toml", Path(HCLG).name)
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
            base=base,
            files=files,
        )
        put_in_place(folder, settings.installed_models / name, record)
    made = find_model(settings.models_folder, name, ModelKind.SPEECH, installed=settings.installed_models)
    with writing(db):
        # Not the words themselves: they may be names, and the chain is kept for good.
        detail = {"words": str(len(words)), "digest": digest}
        audit.append(db, at=now, actor=by, action="speech.words", subject=name, detail=detail)
    if followed:
        choose(db, made, settings, by=by, now=now)
    return made
