"""Waiting for a running agent to take the speech model that was chosen."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from edge_agent.cli.words import say, show
from edge_agent.errors import ModelError, Text
from edge_agent.services.pulse import agent_listens
from edge_agent.settings import Settings
from edge_agent.store import speech as table
from edge_agent.store.database import Database

AGENT_TAKES_S = 180.0
"""How long a switch may take the agent: it tries and loads the model first."""


def agent_runs(settings: Settings) -> bool:
    """Return whether the box's agent listens now."""
    return agent_listens(settings.run, now=datetime.now(UTC))


def follow(db: Database, settings: Settings, version: str) -> None:
    """Wait for a running agent to take the model; raise `ModelError` if it went back from it, or has not taken it."""
    if not agent_runs(settings):
        show(Text(f"次の起動から {version} を使います。", f"{version} is used from the next start on."))
        return
    say(Text("動作中のエージェントが切り替えています…", "The running agent is switching…"))
    give_up = time.monotonic() + AGENT_TAKES_S
    while True:
        now = table.choice(db)
        if now.running == version:
            show(Text(f"新しい通話から {version} を使います。", f"New calls use {version}."))
            return
        if now.refused == version:
            raise ModelError(
                Text(f"元に戻しました: {now.reason_ja}", f"Gone back from it: {now.reason_en}"),
                Text("通話は元のモデルで続いています。", "Calls go on with the model before."),
            )
        if time.monotonic() >= give_up:
            raise _not_switched(version, now.running)
        time.sleep(0.2)


def _not_switched(version: str, running: str) -> ModelError:
    return ModelError(
        Text(
            f"エージェントが {AGENT_TAKES_S:.0f} 秒たっても {version} に切り替えていません"
            f"（新しい通話は {running or '前のモデル'} のままです）。",
            f"The agent has not switched to {version} within {AGENT_TAKES_S:.0f} s "
            f"(new calls still use {running or 'the model before'}).",
        ),
        Text(
            "選択は残っています。少し待って「mamori speech list」で確かめ、変わらなければ edge-agent のログを見て"
            "ください。",
            "The choice stands. See “mamori speech list” in a while; if nothing changes, look at edge-agent's log.",
        ),
    )
