"""Opens a mirror interface for the agent, which may not: the one part of Mamori that holds CAP_NET_RAW.

It hands out a socket that is bound to one interface and shows UDP alone; the filter is locked before anybody else
gets it. It reads nothing itself. Started by systemd when the agent connects (`edge-mirror@.socket`); it imports
nothing but the standard library, so that little runs with the privilege.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

ETH_P_ALL = 0x0003
SO_ATTACH_FILTER, SO_LOCK_FILTER = 26, 44
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_IGNORE_OUTGOING = 263, 1, 1, 23
"""Linux's numbers (asm-generic/socket.h, linux/if_packet.h) for which Python has no names."""
RECEIVE_BYTES = 8 << 20
"""Two seconds of 48 calls; the system allows as much as net.core.rmem_max."""
LISTENING = 3
"""The socket that systemd opened (sd_listen_fds)."""

LOAD_HALF, LOAD_BYTE, IF_EQUAL, RETURN = 0x28, 0x30, 0x15, 0x06
UDP_ALONE = (
    (LOAD_HALF, 0, 0, 12),
    (IF_EQUAL, 0, 2, 0x0800),
    (LOAD_BYTE, 0, 0, 23),
    (IF_EQUAL, 5, 6, 17),
    (IF_EQUAL, 0, 2, 0x86DD),
    (LOAD_BYTE, 0, 0, 20),
    (IF_EQUAL, 2, 3, 17),
    (IF_EQUAL, 1, 0, 0x8100),
    (IF_EQUAL, 0, 1, 0x88A8),
    (RETURN, 0, 0, 0xFFFF),
    (RETURN, 0, 0, 0),
)
"""A classic BPF program: UDP over IPv4 and IPv6, and what is tagged, which the reader looks into."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def open_interface(interface: str) -> socket.socket:
    """Return a socket that sees the UDP traffic of an interface; raise `OSError` if it cannot be had."""
    # Protocol 0: nothing is received before the filter is in place.
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in UDP_ALONE)
        kept = ctypes.create_string_buffer(code)
        program = _Program(len(UDP_ALONE), ctypes.addressof(kept))
        opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(program))
        opened.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        opened.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        opened.bind((interface, ETH_P_ALL))
        wanted = struct.pack("iHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, b"")
        opened.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, wanted)
    except OSError:
        opened.close()
        raise
    return opened


def serve(listening: socket.socket, interface: str) -> None:
    """Hand a socket of the interface to each who connects, or the reason why there is none, until the end."""
    while True:
        connection, _ = listening.accept()
        with connection:
            try:
                with open_interface(interface) as opened:
                    socket.send_fds(connection, [b"ok"], [opened.fileno()])
            except OSError as error:
                connection.sendall((error.strerror or "error").encode())


def ask(path: str) -> socket.socket:
    """Return the socket handed out at a path; raise `OSError` with the reason if there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        connection.connect(path)
        said, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
    if not descriptors:
        raise OSError(said.decode("utf-8", "replace"))
    return socket.socket(fileno=descriptors[0])


if __name__ == "__main__":
    serve(socket.socket(fileno=LISTENING), sys.argv[1])
