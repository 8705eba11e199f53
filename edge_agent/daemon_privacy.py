"""The agent's part at the entrance of every line: pauses, and calls that are announced."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge_agent.pipeline.announcements import AnnouncementKeeper
from edge_agent.pipeline.events import CallEnded, Event, Unannounced
from edge_agent.pipeline.line_watch import LineWatch
from edge_agent.pipeline.lines import BlockQueue
from edge_agent.pipeline.pauses import PauseKeeper
from edge_agent.pipeline.recorder import Recorder
from edge_agent.pipeline.ring import Ring
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import AudioBlock, Clock
from edge_agent.settings import Settings
from edge_agent.store.database import open_main


def line_taps(
    settings: Settings, queues: Mapping[str, BlockQueue], deliver: Mapping[str, Callable[[AudioBlock], None]]
) -> dict[str, Tap]:
    """Return the entrance of every line's audio."""
    seconds = settings.privacy.ring_s
    return {
        seat: Tap(blocks=blocks, ring=Ring(seconds=seconds) if seconds else None, deliver=deliver[seat])
        for seat, blocks in queues.items()
    }


def ring_mib(taps: Mapping[str, Tap]) -> float:
    """Return how much memory the newest audio of all lines takes, which is the same from the first day to the last."""
    return round(sum(tap.ring.nbytes for tap in taps.values() if tap.ring is not None) / 2**20, 1)


def pause_keeper(settings: Settings, taps: Mapping[str, Tap], recorder: Recorder, clock: Clock) -> PauseKeeper:
    """Return the thread that keeps the pauses; those a stop has left under way hold already."""
    keeper = PauseKeeper(
        taps=taps,
        privacy=settings.privacy,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        call_at=recorder.call_at,
        show=recorder.note_pause,
    )
    keeper.restore()
    return keeper


def announcement_keeper(
    settings: Settings, taps: Mapping[str, Tap], watches: Mapping[str, LineWatch], clock: Clock
) -> AnnouncementKeeper:
    """Return the thread that keeps announced calls; those a stop has left under way decide already."""
    keeper = AnnouncementKeeper(
        taps=taps,
        hold=settings.calls.announced_hold,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        show=lambda seat, trouble: watches[seat].note_announcements(trouble),
        on_call=lambda seat, in_call: watches[seat].note_announced(in_call=in_call),
    )
    keeper.restore()
    return keeper


def heard(
    recorder: Recorder, pauses: PauseKeeper, announcements: AnnouncementKeeper
) -> Callable[[str, list[Event]], None]:
    """Return who is told what is heard on a line."""

    def tell(seat: str, events: list[Event]) -> None:
        recorder.note_events(seat, events)
        for event in events:
            if isinstance(event, CallEnded):
                pauses.call_ended(seat)
                announcements.over(seat, event.call_id, faded=event.faded)
            elif isinstance(event, Unannounced):
                announcements.unannounced(seat)

    return tell
