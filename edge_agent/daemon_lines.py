"""Puts together what watches how the lines are heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge_agent.domain.overload import Overloaded
from edge_agent.domain.policy import Policy
from edge_agent.pipeline.events import Event
from edge_agent.pipeline.line_watch import LineBoard, LineFaults, LineWatch
from edge_agent.pipeline.lines import BlockQueue
from edge_agent.pipeline.recorder import Recorder
from edge_agent.ports import AudioBlock
from edge_agent.settings import Settings
from edge_agent.store.cards import CardReport
from edge_agent.store.database import open_live


def line_watches(settings: Settings, policy: Policy) -> dict[str, LineWatch]:
    """Return a watch for every line."""
    return {seat.seat: LineWatch(seat.seat, settings=settings.health, policy=policy) for seat in settings.seats}


def line_board(
    settings: Settings,
    watches: Mapping[str, LineWatch],
    recorder: Recorder,
    faults: LineFaults,
    cards: Callable[[], Sequence[CardReport]],
    overloaded: Callable[[], Overloaded],
) -> LineBoard:
    """Return what shows them and tells their troubles."""
    return LineBoard(
        watches,
        open_live=lambda: open_live(settings.run),
        on_troubles=recorder.note_troubles,
        on_fault=faults.of_audio,
        cards=cards,
        overloaded=overloaded,
    )


def card_figures(cards: Sequence[CardReport]) -> dict[str, dict[str, object]]:
    """Return what the heartbeat says of the sound cards, by name."""
    return {
        card.name: {
            "running": card.running,
            "overruns": card.overruns,
            "lost_s": card.dropped / 10,
            "losses": card.losses,
        }
        for card in cards
    }


def deliver_all(
    watches: Mapping[str, LineWatch], queues: Mapping[str, BlockQueue]
) -> dict[str, Callable[[AudioBlock], None]]:
    """Return for each seat who takes its blocks: first those who recognise, then those who measure."""
    return {seat: _deliver(watches[seat], queue) for seat, queue in queues.items()}


def watched(watch: LineWatch, on_events: Callable[[str, list[Event]], None]) -> Callable[[str, list[Event]], None]:
    """Return a taker of events that lets the watch see them first."""

    def take(seat: str, events: list[Event]) -> None:
        watch.note_events(events)
        on_events(seat, events)

    return take


def _deliver(watch: LineWatch, queue: BlockQueue) -> Callable[[AudioBlock], None]:
    def take(block: AudioBlock) -> None:
        queue.put(block)
        # The silence of a pause says nothing of the line.
        if block.private:
            watch.pass_over()
        else:
            watch.hear(block)

    return take
