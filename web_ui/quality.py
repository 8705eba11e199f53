"""The page that says how well calls are judged here: published figures with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from edge_agent.domain.quality import Figure, ReliabilityBin
from edge_agent.domain.roles import Right
from edge_agent.errors import MamoriError
from edge_agent.services import quality as record
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.settings import Settings
from edge_agent.store import incidents
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("quality", __name__, url_prefix="/quality")

SIDE = 200
"""Side of the reliability diagram in its own units."""
LARGEST_DOT = 10
SMALLEST_DOT = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One tenth of the reliability diagram: place and radius in the diagram's units."""

    x: float
    y: float
    radius: float
    bin: ReliabilityBin


@blueprint.get("/")
@needs(Right.SEE_QUALITY)
def page() -> ResponseReturnValue:
    """Show the newest measurement, and whether it is of what is installed."""
    behind = context()
    outcomes = incidents.outcomes(behind.main)
    try:
        found = record.load(behind.settings)
    except MamoriError as error:
        return render_template("quality.html", found=None, error=error, outcomes=outcomes)
    return render_template(
        "quality.html",
        found=found,
        outcomes=outcomes,
        current=found.is_of(policy=f"{behind.policy.id} {behind.policy.version}", **_installed(behind.settings)),
        diagrams=[dots(utterances.reliability) for utterances in found.utterances],
        side=SIDE,
        percent=percent,
        span=span,
        names={name.label.value: name.name for name in behind.policy.types},
    )


def percent(figure: Figure | None) -> str:
    """Return a share in per cent, a dash if there was nothing to measure on."""
    return f"{figure.value:.1%}" if figure is not None and figure.count else "–"


def span(figure: Figure | None) -> str:
    """Return the 95 % interval of a share and what it rests on."""
    return f"{figure.low:.1%}–{figure.high:.1%} · n={figure.count}" if figure is not None and figure.count else ""


def dots(bins: tuple[ReliabilityBin, ...]) -> list[Dot]:
    """Return the places of the tenths; a dot's area grows with its lines."""
    most = max((each.lines for each in bins), default=1)
    return [
        Dot(
            x=round(each.stated * SIDE, 1),
            y=round((1 - each.observed) * SIDE, 1),
            radius=round(SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * (each.lines / most) ** 0.5, 1),
            bin=each,
        )
        for each in bins
    ]


def _installed(settings: Settings) -> dict[str, str]:
    try:
        return {
            "classifier": find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT).version,
            "speech": find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH).version,
        }
    except MamoriError:
        # A damaged model is told on the floor page; here it only means that the figures are of another one.
        return {"classifier": "", "speech": ""}
