"""Installing speech models: known by their digest or vouched for by a person, tried before they may be chosen."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import (
    RECORD,
    InstalledModel,
    KnownModel,
    ModelKind,
    Record,
    digests_of,
    find_model,
    known_models,
    read_record,
    shipped_models,
)
from edge_agent.services.speech.bring import Brought, Progress, bring
from edge_agent.services.speech.choice import active_name, no_such
from edge_agent.services.speech.refusals import cannot_write, refused
from edge_agent.services.speech.self_test import Passed, Probe, self_test
from edge_agent.services.speech.structure import check_structure
from edge_agent.services.speech.workplace import move_in, move_out, workplace
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store.database import Database, writing

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}\Z")
DIGEST_SHOWN = 12
WITH_WORDS = "+words"
"""Ending of the name of a model made of another one and a floor's own words."""

_VOUCH = Text(
    "出どころを確かめ、よければもう一度実行して、責任を持つと答えるか --accept-unknown を付けてください。",
    "Make sure where it came from; then run this again and vouch for it, or give --accept-unknown.",
)

Decide = Callable[[Text], bool]
"""Asks a person to vouch for a model the product does not know; told what is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A speech model as it is listed.

    Attributes:
        version: where `damaged`, what is wrong, in both languages.
        stale: made with words from a model that is another one by now.
        damaged: its record is missing or cannot be read: it can only be removed.
    """

    name: str
    version: str
    licence: str
    shipped: bool
    active: bool
    stale: bool = False
    damaged: bool = False


def install(
    source: str,
    settings: Settings,
    db: Database,
    *,
    name: str | None,
    by: str,
    now: datetime,
    decide: Decide,
    probe: Probe,
    progress: Progress,
) -> tuple[InstalledModel, Passed]:
    """Bring a model in, check it and put it beside the others; it is not chosen by this.

    `source` is an archive, a folder or an address; `name` what to call it, None: as it calls itself.

    Raises:
        ModelError: it may not be used, with the reason. Nothing is left behind then.
    """
    with workplace(settings.installed_models) as place:
        (place / "brought").mkdir()
        brought = bring(source, place / "brought", progress=progress)
        known = _known(brought, known_models(settings.models_folder))
        called = name or (known.name if known else brought.name.lower())
        _refuse_name(called, settings)
        check_structure(brought.folder, source)
        vouched = "" if known and known.md5 else by
        if vouched and not decide(_unknown(brought, settings)):
            raise refused(
                source,
                "確認が得られなかったため、入れませんでした。",
                "was not installed: nobody vouched for it.",
                _VOUCH,
            )
        brought = _called(brought, called, place)
        passed = self_test(brought.folder, shipped=settings.models_folder, probe=probe)
        record = _record(brought, called, known, vouched=vouched, by=by, now=now)
        put_in_place(brought.folder, settings.installed_models / called, record)
    detail = {
        "source": brought.source,
        "digest": record.digest,
        "vouched_by": vouched,
        "self_test_cer": f"{passed.cer:.3f}",
    }
    with writing(db):
        audit.append(db, at=now, actor=by, action="speech.installed", subject=called, detail=detail)
    return find_model(settings.models_folder, called, ModelKind.SPEECH, installed=settings.installed_models), passed


def listing(settings: Settings, db: Database) -> list[Listed]:
    """Return all speech models, the shipped ones first."""
    active = active_name(db, settings)
    out = [
        Listed(name=m.name, version=m.version, licence="", shipped=True, active=m.name == active)
        for m in shipped_models(settings.models_folder, ModelKind.SPEECH)
    ]
    folders = (folder for folder in sorted(settings.installed_models.glob("*")) if folder.is_dir())
    out += [_listed(folder, settings, active) for folder in folders if not folder.name.startswith(".")]
    return out


def _listed(folder: Path, settings: Settings, active: str) -> Listed:
    try:
        record = read_record(folder)
    except ModelError:
        # One damaged model must not hide the others, nor itself: it takes room, and its name.
        return Listed(
            name=folder.name,
            version=f"{folder.name}（記録がないか壊れています / its record is missing or damaged）",
            licence="",
            shipped=False,
            active=folder.name == active,
            damaged=True,
        )
    return Listed(
        name=record.name,
        version=f"{record.name} {record.version}",
        licence=record.licence,
        shipped=False,
        active=record.name == active,
        stale=_stale(record, settings),
    )


def remove(name: str, settings: Settings, db: Database, *, by: str, now: datetime) -> None:
    """Delete an installed model, whole or not; raise `ModelError` if it is shipped, active, unknown or stays."""
    remedy = Text(
        "先に「mamori speech use」で別のモデルに切り替えてください。", "First choose another with “mamori speech use”."
    )
    if any(model.name == name for model in shipped_models(settings.models_folder, ModelKind.SPEECH)):
        raise ModelError(
            Text(f"「{name}」は製品のモデルで、削除できません。", f"{name!r} came with the product and stays."),
            Text("そのままで差し支えありません。", "It can stay where it is."),
        )
    if active_name(db, settings) in {name, f"{name}{WITH_WORDS}"} or name == settings.models.speech:
        raise ModelError(Text(f"「{name}」は使用中です。", f"{name!r} is in use."), remedy)
    folder = settings.installed_models / name
    if not NAME.match(name.removesuffix(WITH_WORDS)) or not folder.is_dir():
        raise no_such(name)
    try:
        digest = read_record(folder).digest
    except ModelError:
        digest = ""
    with writing(db):
        audit.append(db, at=now, actor=by, action="speech.removed", subject=name, detail={"digest": digest})
        gone = move_out(folder)
    # On record and out of the way: what cannot be deleted now, the next installation deletes.
    shutil.rmtree(gone, ignore_errors=True)


def _stale(record: Record, settings: Settings) -> bool:
    if not record.base:
        return False
    try:
        base = find_model(
            settings.models_folder, record.base, ModelKind.SPEECH, installed=settings.installed_models
        )  # fmt: skip
    except ModelError:
        return True
    return base.version != record.source


def put_in_place(folder: Path, place: Path, record: Record) -> None:
    """Write the record beside a model, and move both to their place, replacing what was there, all at once.

    Raises:
        ModelError: the place cannot be written; what was there stays.
    """
    try:
        (folder / RECORD).write_text(record_toml(record), encoding="utf-8")
        for path in [folder, *folder.rglob("*")]:
            # The agent is another user of the group; nobody else need read it.
            path.chmod(0o750 if path.is_dir() else 0o640)
        move_in(folder, place)
    except OSError as error:
        raise cannot_write(place.parent, error) from error


def record_toml(record: Record) -> str:
    """Return a record as TOML."""
    fields = msgspec.structs.asdict(record)
    files = fields.pop("files")
    # A JSON string of printable text is a TOML string.
    rows = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    rows += ["", "[files]", *(f"{json.dumps(file, ensure_ascii=False)} = {json.dumps(d)}" for file, d in files.items())]
    return "\n".join(rows) + "\n"


def digest_of_files(files: dict[str, str]) -> str:
    """Return one digest (SHA-256, hex) for a folder's files."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def _known(brought: Brought, known: tuple[KnownModel, ...]) -> KnownModel | None:
    same = (model for model in known if model.md5 and model.md5 == brought.md5)
    return next((model for model in same if model.bytes in {0, brought.size}), None)


def _unknown(brought: Brought, settings: Settings) -> Text:
    digest = brought.sha256 or digest_of_files(digests_of(brought.folder))
    file = Path(brought.source).name
    named = next((m for m in known_models(settings.models_folder) if file == m.archive or brought.name == m.name), None)
    if named and named.md5 and brought.md5:
        ja = f"「{named.name}」という名前ですが、配布元のもの（md5 {named.md5}）と違います。壊れているか、別物です。"
        en = f"Called {named.name}, but not the publisher's (md5 {named.md5}): damaged, or something else."
    else:
        ja = "製品が知っているダイジェストではありません。出どころを確かめてください。"
        en = "The product does not know its digest. Make sure where it came from."
    return Text(f"{brought.source}: {ja} SHA-256 {digest}", f"{brought.source}: {en} SHA-256 {digest}")


def _called(brought: Brought, name: str, place: Path) -> Brought:
    """Give a model's folder the model's name: by it the self-test says which model it speaks of."""
    folder = place / "called" / name
    try:
        folder.parent.mkdir()
        brought.folder.rename(folder)
    except OSError as error:
        raise cannot_write(place.parent, error) from error
    return replace(brought, folder=folder)


def _record(
    brought: Brought, name: str, known: KnownModel | None, *, vouched: str, by: str, now: datetime
) -> Record:  # fmt: skip
    files = digests_of(brought.folder)
    digest = brought.sha256 or digest_of_files(files)
    return Record(
        name=name,
        kind=ModelKind.SPEECH,
        version=digest[:DIGEST_SHOWN],
        licence=known.licence if known else "",
        source=brought.source,
        digest=digest,
        decided_by=vouched,
        installed_by=by,
        at=now.isoformat(),
        files=files,
    )


def _refuse_name(name: str, settings: Settings) -> None:
    if not NAME.match(name):
        raise ModelError(
            Text(f"「{name}」はモデルの名前にできません。", f"{name!r} cannot be a model's name."),
            Text(
                "--name で英小文字・数字・「-」「.」の名前を付けてください。",
                "Give it one of lower-case letters, digits, “-” and “.” with --name.",
            ),
        )
    shipped = {model.name for model in shipped_models(settings.models_folder, ModelKind.SPEECH)}
    if name in shipped or (settings.installed_models / name).exists():
        raise ModelError(
            Text(f"「{name}」という名前のモデルは、もうあります。", f"There is a model called {name!r} already."),
            Text(
                "先に「mamori speech remove」で削除するか、--name で別の名前を付けてください。",
                "Remove it first with “mamori speech remove”, or give this one another name with --name.",
            ),
        )
