"""The parts of what a node says: each is what a command of Slipway prints with --json.

Each command runs in a process of its own, so that one that hangs, on a server of storage that is
gone, say, is ended and takes no other with it. It is forked and not started anew: to start Python
takes longer than most of the commands.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection

from agent.overview.model import Part, Subject

# Runs a command line of Slipway, prints, and gives the exit status.
Main = Callable[[Sequence[str]], int]
COMMANDS: dict[Subject, dict[str, tuple[str, ...]]] = {
    "node": {
        "status": ("status", "--json"),
        "guests": ("guest", "list", "--json"),
        "storages": ("storage", "list", "--json"),
        "templates": ("template", "list", "--json"),
    },
    "cluster": {
        "cluster": ("cluster", "status", "--json"),
        "guests": ("guest", "list", "--cluster", "--json"),
        "ha": ("ha", "list", "--json"),
        "replicas": ("replicate", "list", "--json"),
        "address": ("cluster", "address", "show", "--json"),
    },
}
# pcs alone takes ten on a machine that is overloaded.
SECONDS = 30.0


def collect(
    commands: Mapping[str, Sequence[str]], main: Main, seconds: float = SECONDS
) -> dict[str, Part]:
    """Run all of them at once. seconds: after which one that has not ended is killed."""
    context = multiprocessing.get_context("fork")
    running = {}
    for name, words in commands.items():
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_say, args=(theirs, main, words))
        process.start()
        theirs.close()
        running[name] = (process, ours)
    end = time.monotonic() + seconds
    parts = {}
    for name, (process, pipe) in running.items():
        parts[name] = _hear(pipe, commands[name], max(0.0, end - time.monotonic()), seconds)
        pipe.close()
        process.kill()
        process.join()
    return parts


def _say(pipe: Connection, main: Main, words: Sequence[str]) -> None:
    """In the process of its own: run the command and send what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(words)
        except SystemExit:
            # argparse, for a command that this version does not have.
            pass
    pipe.send((out.getvalue(), err.getvalue()))


def _hear(pipe: Connection, words: Sequence[str], left: float, seconds: float) -> Part:
    line = f"slipway {' '.join(words)}"
    try:
        if not pipe.poll(left):
            return Part(error=f"{line} did not end within {seconds:g} seconds")
        out, err = pipe.recv()
    except EOFError:
        return Part(error=f"{line} failed; see: journalctl -b -u slipway-overview")
    return part(line, out, err)


def part(line: str, out: str, err: str) -> Part:
    """From what a command printed. line: the command, for a person."""
    try:
        return Part(value=json.loads(out))
    except ValueError:
        said = err.strip().removeprefix("slipway: ")
        if "invalid choice" in said or "unrecognized arguments" in said:
            said = f"this version of Slipway has no: {line}"
        return Part(error=said or f"{line} printed nothing")
