"""How much of the floor one person sees.

Rules:
1. Somebody sees the seats of their groups.
2. Words come only with the right to read them, and then only those an unfinished incident rests on.
3. All words of a call come to whoever listens in on it, and to nobody else.
4. Who sits where is seen by those who may see who is on duty, and not where everybody reads along.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_agent.domain.roles import Right, may, sees_seat
from edge_agent.settings import Settings
from edge_agent.store.people import Person
from web_ui.floor_state import Change, Floor, Words
from web_ui.seat_views import SeatView
from web_ui.views import IncidentView, WordsView


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What somebody sees. `seats` of None are all there are, those the settings do not know too.

    `cards` are the states of seats, `words` what alerts rest on, `names` who sits where. Whoever listens in on a call
    (`hears`, its id) sees its words through a stream of its own and nothing else there.
    """

    seats: frozenset[str] | None = None
    cards: bool = True
    words: bool = True
    names: bool = True
    hears: str | None = None

    def sees(self, seat: str) -> bool:
        """Return whether they deal with a seat."""
        return self.seats is None or seat in self.seats

    def on_the_wall(self) -> Sight:
        """Return what is seen where everybody reads along: the same floor, no words and nobody's name."""
        return replace(self, words=False, names=False)

    def of_card(self, view: SeatView) -> SeatView:
        """Return a seat's card without who sits there if that may not be seen."""
        return view if self.names else replace(view, sits="", sitter="")

    def of_incident(self, view: IncidentView) -> IncidentView:
        """Return an incident without the caller's words if they may not be read."""
        return view if self.words else replace(view, quotes=(), telling=())

    def of_floor(self, floor: Floor) -> Floor:
        """Return the part of the floor that is seen."""
        seats = tuple(self.of_card(view) for view in floor.seats if self.sees(view.seat))
        calls = {view.call_id for view in seats}
        return Floor(
            seats=seats if self.cards else (),
            words={
                call: seen for call, words in floor.words.items() if call in calls and (seen := self.of_words(words))
            },
            incidents=tuple(self.of_incident(view) for view in floor.incidents if self.sees(view.seat)),
        )

    def of_words(self, words: tuple[WordsView, ...]) -> tuple[WordsView, ...]:
        """Return those of a call's words that may be read without listening in."""
        return tuple(w for w in words if w.alerted) if self.words else ()

    def of_change(self, change: Change) -> Change | None:
        """Return a change as it is seen, or None if it is not."""
        if not self.sees(change.seat):
            return None
        if self.hears is not None:
            return change if isinstance(change, Words) and change.call_id == self.hears else None
        match change:
            case IncidentView():
                return self.of_incident(change)
            case SeatView():
                return self.of_card(change) if self.cards else None
            case Words():
                seen = self.of_words(change.words)
                return replace(change, words=seen) if seen else None


WHOLE_FLOOR = Sight()


def sight_of(person: Person, settings: Settings) -> Sight:
    """Return what a person sees of this box."""
    return Sight(
        seats=frozenset(seat.seat for seat in settings.seats if sees_seat(person.groups, seat.group))
        if person.groups
        else None,
        cards=may(person.role, Right.SEE_FLOOR),
        words=may(person.role, Right.READ_WORDS),
        names=may(person.role, Right.SEE_DUTY),
    )
