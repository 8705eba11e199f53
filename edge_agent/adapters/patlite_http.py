"""PATLITE LA6-POE and WE-LAN over HTTP: ``GET /api/control?alert=RYGBCZ``, answered by ``Success.``.

They have one kind of flashing. They cannot say that they were switched off in between, so the state is told again and
again.
"""

from __future__ import annotations

import http.client

from edge_agent.domain.lamp import LampState
from edge_agent.services.lamps import tower_alert, unreachable

TIMEOUT_S = 2.0
"""A tower in the same network answers within milliseconds."""
FLASHING = "2"
ANSWER_BYTES = 64


class PatliteHttp:
    """One tower at an address. It speaks plain HTTP and has no password: it belongs into a network of its own."""

    def __init__(self, *, host: str, port: int = 80) -> None:
        self._host = host
        self._port = port

    def show(self, state: LampState) -> None:
        """Show a state; raise `LampError` if the tower does not answer or refuses."""
        where = f"{self._host}:{self._port}"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", f"/api/control?alert={tower_alert(state, fast=FLASHING)}")
            answer = connection.getresponse()
            said = answer.read(ANSWER_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(where, type(error).__name__) from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK or not said.startswith(b"Success"):
            raise unreachable(where, f"HTTP {answer.status}")
