"""Choosing the speech model of new calls: a person chooses, the agent follows or goes back, all of it on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from edge_agent.errors import MamoriError, ModelError, Text
from edge_agent.services.model_store import InstalledModel, ModelKind, find_model, is_installed, shipped_models
from edge_agent.settings import Settings
from edge_agent.store import audit
from edge_agent.store import speech as table
from edge_agent.store.database import Database, writing
from edge_agent.store.speech import SpeechChoice

BOX = "mamori"
"""The audit chain's name for the box itself."""


def active_name(db: Database, settings: Settings) -> str:
    """Return the name of the model new calls are to be recognised with."""
    return table.choice(db).chosen or settings.models.speech


def find_speech(settings: Settings, name: str) -> InstalledModel:
    """Return a speech model, shipped or installed; raise `ModelError` if it is unknown, missing or altered."""
    shipped = (model.name for model in shipped_models(settings.models_folder, ModelKind.SPEECH))
    if not is_installed(settings.installed_models, name) and name not in shipped:
        raise no_such(name)
    return find_model(settings.models_folder, name, ModelKind.SPEECH, installed=settings.installed_models)


def active_model(settings: Settings, db: Database) -> InstalledModel:
    """Return the active model; raise `ModelError` if it is missing or altered."""
    return find_speech(settings, active_name(db, settings))


def choose(db: Database, model: InstalledModel, settings: Settings, *, by: str, now: datetime) -> None:
    """Let new calls be recognised with a model; the agent follows within seconds."""
    with writing(db):
        before = table.choice(db)
        if before.version == model.version:
            # Chosen again after it was refused, say: it is to be tried again.
            kept = {"before": before.before, "before_version": before.before_version}
        else:
            kept = {"before": before.chosen or settings.models.speech, "before_version": before.version}
        table.save(
            db,
            SpeechChoice(
                chosen=model.name,
                version=model.version,
                chosen_by=by,
                chosen_at=now.isoformat(),
                running=before.running,
                running_at=before.running_at,
                **kept,
            ),
        )
        detail = {"version": model.version, "before": before.chosen or settings.models.speech}
        audit.append(db, at=now, actor=by, action="speech.chosen", subject=model.name, detail=detail)


def note_running(db: Database, version: str, *, now: datetime) -> None:
    """Note which model the agent gives to new calls from now on."""
    with writing(db):
        before = table.choice(db)
        if before.running == version:
            return
        table.save(db, replace(before, running=version, running_at=now.isoformat()))
        detail = {"before": before.running}
        audit.append(db, at=now, actor=BOX, action="speech.switched", subject=version, detail=detail)


def refuse(db: Database, refused: SpeechChoice, reason: MamoriError, *, default: str, now: datetime) -> bool:
    """Go back to the choice before one that does not work; return False if somebody has chosen again meanwhile.

    A model whose files were changed under its name cannot be gone back to: then `default`, the settings', counts.
    """
    with writing(db):
        newest = table.choice(db)
        if (newest.chosen, newest.version, newest.chosen_at) != (refused.chosen, refused.version, refused.chosen_at):
            return False
        gone = newest.before in {"", newest.chosen}
        back_to = default if gone else newest.before
        table.save(
            db,
            replace(
                newest,
                chosen=back_to,
                version="" if gone else newest.before_version,
                chosen_by=BOX,
                chosen_at=now.isoformat(),
                before="",
                before_version="",
                refused=refused.version,
                refused_at=now.isoformat(),
                reason_ja=reason.what.ja,
                reason_en=reason.what.en,
            ),
        )
        detail = {"version": refused.version, "back_to": back_to, "error": type(reason).__name__}
        audit.append(db, at=now, actor=BOX, action="speech.refused", subject=refused.chosen, detail=detail)
    return True


def no_such(name: str) -> ModelError:
    """Return the error for a name no speech model has."""
    return ModelError(
        Text(f"音声モデル「{name}」はありません。", f"There is no speech model {name!r}."),
        Text("「mamori speech list」で名前を確かめてください。", "See “mamori speech list” for the names."),
    )
