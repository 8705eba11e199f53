"""The pages speak both languages completely."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import web_ui
from edge_agent.domain.button import Effect, LightState, Trouble
from edge_agent.domain.call import Speaker
from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.domain.false_alarm import Cause
from edge_agent.domain.incident import IncidentState, Verdict
from edge_agent.domain.lamp import Colour, Pattern
from edge_agent.domain.policy import Source
from edge_agent.domain.press import PressSource
from edge_agent.domain.roles import Role
from edge_agent.services.broker_log import Attempt
from web_ui.own_seat import Mood
from web_ui.seat_views import Show
from web_ui.texts import LANGUAGES, Texts, catalogues

FOLDER = Path(web_ui.__file__).parent
USE = re.compile(r"""\b(?:t|texts\[[^\]]+\](?:\([^)]*\))?)\(\s*f?["'`]([a-z_.]+)""")
"""How templates, scripts and code ask for a text; a key that ends with a dot is completed by a value."""
SAME_IN_BOTH = {"language.ja", "language.en", "devices.kind.home_assistant"}
ONLY_GAPS = {"watched.and", "live.summary_and", "incident.by", "incident.warning_count", "live.announce"}
"""Nothing but names and figures in at least one language."""
COMPLETED = {
    "role.": [role.value for role in Role],
    "language.": list(LANGUAGES),
    "quality.by.": ["kind", "register", "dialect", "age"],
    "quality.through.": ["text", "vosk"],
    "cause.": [cause.value for cause in Cause],
    "verdict.": [verdict.value for verdict in Verdict],
    "source.": [source.value for source in Source],
    "devices.kind.": [kind.value.replace("-", "_") for kind in DeviceKind],
    "devices.refused.": [attempt.value for attempt in Attempt],
    "devices.presence.": [presence.value for presence in Presence],
    "lines.": [speaker.value for speaker in Speaker],
    "lamps.colour.": [colour.value for colour in Colour],
    "lamps.pattern.": [pattern.value for pattern in Pattern],
    "seat.mood.": [mood.value for mood in Mood],
    "seat.mood_note.": [mood.value for mood in Mood],
    "seat.light.": [state.value for state in LightState if state is not LightState.OFF],
    "live.seat.": [show.value for show in Show],
    "live.incident.": [state.value for state in IncidentState],
    "done.": [*(state.value for state in IncidentState if state is not IncidentState.OPEN), "handed_over"],
    "pressed.": [effect.value for effect in Effect],
    "paused.": ["begin", "end"],
    "buttons.trouble.": [trouble.value for trouble in Trouble],
    "live.button_trouble.": [trouble.value for trouble in Trouble],
    "buttons.source.": [source.value for source in PressSource if source is not PressSource.PAGE],
    "action.": [
        *(f"incident_{step}" for step in ("opened", "acknowledged", "taken", "closed", "reviewed", "ruled_out")),
        "incident_handed_over",
        *(f"alert_{step}" for step in ("updated", "ended", "withdrawn", "delivered", "seen", "acknowledged")),
        "receipt_refused",
        "incident_called",
        *(f"alert_{step}" for step in ("raised", "repeated", "taken_back")),
        *(f"button_{step}" for step in ("pressed", "tested", "test_begun")),
        *(f"pause_{step}" for step in ("began", "taken_over", "ended")),
        *(f"escalation_{step}" for step in ("asked", "skipped")),
        *(f"seat_{step}" for step in ("taken", "left")),
        "floor_arranged",
        *(f"listening_{step}" for step in ("began", "ended")),
        *(f"session_{step}" for step in ("began", "ended", "refused", "revoked")),
        *("account_locked", "account_unlocked", "address_locked", "password_changed", "password_reset"),
        *(f"person_{step}" for step in ("created", "role", "groups", "retired")),
        *(f"second_factor_{step}" for step in ("on", "off", "used", "recovered")),
        *(f"device_{step}" for step in ("added", "revoked", "connected", "missing", "caught_up")),
        *(f"command_{step}" for step in ("given", "done", "refused")),
        "broker_refused",
        "other",
    ],
}
"""Keys that are put together at run time: every value there can be."""


def used() -> set[str]:
    files = [
        *FOLDER.glob("*.py"),
        *(FOLDER / "templates").glob("*.html"),
        *(FOLDER / "static/js").glob("*.js"),
    ]
    found: set[str] = set()
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            found |= set(re.findall(r"""\bt\([^)]*?["'`]((?:[a-z_]+\.)+[a-z_]*)["'`$]""", line))
            found |= set(USE.findall(line))
            # Handed on to what says it, or one of a choice.
            found |= set(re.findall(r'"(live\.[a-z_.]+)"', line)) if file.suffix == ".js" else set()
            found |= set(re.findall(r"""key = "([a-z.]+)" ~""", line))
            # Words for after an act, said on the next page.
            found |= set(re.findall(r"""\b_(?:back|told)\((?:name, )?"([a-z_.]+)\"""", line))
    return {key for key in found if "." in key}


def expanded(keys: set[str]) -> set[str]:
    whole = {key for key in keys if not key.endswith(".")}
    for prefix in keys - whole:
        whole |= {prefix + value for value in COMPLETED[prefix]}
    return whole


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_the_pages_ask_for_is_missing(language: str) -> None:
    assert not expanded(used()) - Texts(language).keys


def test_no_text_is_kept_that_no_page_asks_for() -> None:
    assert Texts("ja").keys - expanded(used()) == frozenset()


def test_both_languages_have_the_same_texts_with_the_same_gaps() -> None:
    ja, en = (catalogues()[language] for language in LANGUAGES)
    assert ja.keys == en.keys
    for key in ja.keys:
        gaps = [{name for _, name, _, _ in string.Formatter().parse(texts(key)) if name} for texts in (ja, en)]
        assert gaps[0] == gaps[1], key


def test_every_text_is_translated() -> None:
    ja, en = (catalogues()[language] for language in LANGUAGES)
    for key in ja.keys - SAME_IN_BOTH - ONLY_GAPS:
        assert ja(key) != en(key), key
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", ja(key)), key
        assert not re.search(r"[ぁ-んァ-ヶ一-龠]", en(key)), key


def test_a_key_nobody_wrote_is_an_error_and_not_an_empty_page() -> None:
    with pytest.raises(KeyError):
        Texts("ja")("floor.no_such_text")
