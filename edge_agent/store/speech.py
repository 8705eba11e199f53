"""Which speech model somebody chose, and what the agent made of that choice: a single row."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechChoice:
    """The choice and its fate. Versions are name and digest; times ISO 8601 in UTC; empty: none yet.

    Attributes:
        chosen: name of the model new calls are to be recognised with; empty: the one of the settings.
        version: its version when it was chosen; another version under the same name is another choice.
        before: the choice to go back to if this one is refused.
        running: version the agent gives to new calls.
        refused: version the agent went back from, and why.
    """

    chosen: str = ""
    version: str = ""
    chosen_by: str = ""
    chosen_at: str = ""
    before: str = ""
    before_version: str = ""
    running: str = ""
    running_at: str = ""
    refused: str = ""
    refused_at: str = ""
    reason_ja: str = ""
    reason_en: str = ""


def choice(db: Database) -> SpeechChoice:
    """Return the choice; without any the settings' model counts."""
    for row in db.table("speech").rows_where("row_id = 1"):
        return SpeechChoice(**{key: value for key, value in row.items() if key != "row_id"})
    return SpeechChoice()


def save(db: Database, changed: SpeechChoice) -> None:
    """Put the choice in place of the one before; call it inside a transaction."""
    db.put("speech", {"row_id": 1, **asdict(changed)}, key=("row_id",))
