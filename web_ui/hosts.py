"""The names this box answers to: a page of somebody else whose name was made to point here gets nothing."""

from __future__ import annotations

import ipaddress
import socket

from edge_agent.settings import Settings


def own_names(settings: Settings) -> frozenset[str]:
    """Return the names under which the pages may be asked for, in lower case; addresses are always ours."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({"localhost", name, short, f"{short}.local", settings.web.host.lower(), *settings.web.names})


def is_own(host: str, own: frozenset[str]) -> bool:
    """Return whether `host` is a name of ours or an address."""
    return host.lower() in own or is_address(host)


def is_address(host: str) -> bool:
    """Return whether it is a number: one needs no name service, so nobody can have made it point here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
