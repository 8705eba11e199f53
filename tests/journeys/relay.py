"""A relay of TCP connections, so that a program in a network namespace reaches what listens on another's loopback.

python -m tests.journeys.relay LISTEN_ADDRESS LISTEN_PORT ADDRESS PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until either side is gone."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def relay(address: str, port: int, there: str, there_port: int) -> None:
    """Listen until the process ends."""

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection(there, there_port), 3)
        except (OSError, TimeoutError):
            writer.close()
            return
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    server = await asyncio.start_server(joined, address, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    listen, listen_port, to, to_port = sys.argv[1:]
    asyncio.run(relay(listen, int(listen_port), to, int(to_port)))
