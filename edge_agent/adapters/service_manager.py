"""Telling systemd how the agent is: ready, alive, stopping. Does nothing where nobody asked."""

from __future__ import annotations

import os
import socket


def notify(message: str) -> None:
    """Send one sd_notify(3) message, such as ``READY=1`` or ``WATCHDOG=1``, if systemd started this process."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # A leading @ names a socket in the abstract namespace.
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.connect(name)
            channel.sendall(message.encode())
        except OSError:
            # The service manager is being restarted itself; the next message will reach it.
            return
