"""One JSON message to a local program on a unix socket, and one back.

systemd starts a process for each connection, with the connection as standard input and output.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from agent.cluster.enrolment.messages import MAXIMUM_BYTES, Answer, Message
from agent.core.errors import SlipwayError

MEMBER = Path("/run/slipway/member.socket")
SIGNER = Path("/run/slipway/signer.socket")
# Longer than an add of a node takes, with a wait for the lock.
SECONDS = 400.0


def call(path: Path, message: Message) -> Answer:
    """Ask, and wait for the answer. Raises SlipwayError."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(path))
            connection.sendall(message.model_dump_json().encode() + b"\n")
            with connection.makefile("rb") as stream:
                return _answer(stream.readline(4 * MAXIMUM_BYTES), path)
    except OSError as error:
        raise SlipwayError(f"it does not answer: {error}", where=str(path)) from error


async def call_async(path: Path, message: Message) -> Answer:
    """As `call`, for a program that does other things meanwhile. Raises SlipwayError."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_unix_connection(path, limit=4 * MAXIMUM_BYTES)
            try:
                writer.write(message.model_dump_json().encode() + b"\n")
                return _answer(await reader.readline(), path)
            finally:
                writer.close()
    except (OSError, ValueError) as error:
        raise SlipwayError(f"it does not answer: {error}", where=str(path)) from error


def serve_one(answer: Callable[[bytes], Answer]) -> None:
    """Answer the one message on standard input."""
    line = sys.stdin.buffer.readline(4 * MAXIMUM_BYTES)
    sys.stdout.buffer.write(answer(line).model_dump_json(exclude_none=True).encode() + b"\n")
    sys.stdout.buffer.flush()


def _answer(line: bytes, path: Path) -> Answer:
    if not line.endswith(b"\n"):
        raise SlipwayError("it ended without an answer", where=str(path))
    return Answer.model_validate_json(line)
