"""What a press of a pause button does: one transaction for press, pause, what is known of the button, and audit.

Rules:
1. A press begins a pause, the next ends it; a press that was kept before changes nothing.
2. A press that was long on its way is kept, so that the button stops repeating it, and begins and ends no pause:
   nobody means it any more.
3. In a test it is a test alone only between calls. In a call, or in a pause, it does what it always does and counts as
   the test too: no card number may be heard because somebody tests buttons.
4. A pause button that was pressed works, as any other does: it is tested by using it.
"""

from __future__ import annotations

from datetime import datetime

from edge_agent.domain.button import Effect, Press
from edge_agent.domain.pause import PauseSource
from edge_agent.services import pauses
from edge_agent.services.buttons import after_press, keep_press, state_of
from edge_agent.services.pauses import Wish
from edge_agent.settings_privacy import Privacy
from edge_agent.store import buttons
from edge_agent.store import pauses as store
from edge_agent.store.database import Database, writing


def press(db: Database, pressed: Press, *, call_id: str, late: bool, privacy: Privacy, now: datetime) -> Effect:
    """Do what a press of a pause button means, once. `call_id` is the call under way, empty between calls.

    Raises:
        StoreError: if it cannot be written; then nothing is kept and no pause holds.
    """
    actor = f"button:{pressed.button}"
    with writing(db):
        if known := buttons.effect_of(db, pressed.press_id):
            return known
        state = state_of(db, pressed)
        testing = not late and state.tests(pressed.gesture, now=now)
        if late:
            effect = Effect.NOTHING
        elif testing and not call_id and store.find(db, pressed.seat) is None:
            effect = Effect.TESTED
        else:
            wish = Wish(seat=pressed.seat, by=actor, source=PauseSource.BUTTON, call_id=call_id)
            effect = Effect.PAUSED if pauses.toggle(db, wish, privacy=privacy, now=now) else Effect.RESUMED
        buttons.put(db, after_press(state, pressed, testing=testing, now=now))
        keep_press(db, pressed, effect=effect, testing=testing, actor=actor, now=now)
    return effect
