"""`slipway status`: is the node ready, and if not, what is missing."""

from __future__ import annotations

import argparse
import time

from agent import status

READY, NOT_READY = 0, 3
WAIT_SECONDS = 600.0
POLL_SECONDS = 0.5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `status` to the command line."""
    parser = commands.add_parser(
        "status",
        help="show whether the node is ready",
        description="Show whether the node is ready. Exit status: 0 ready, 3 not ready.",
    )
    parser.add_argument("--json", action="store_true", help="print the status object")
    parser.add_argument(
        "--wait",
        type=float,
        nargs="?",
        const=WAIT_SECONDS,
        default=0.0,
        metavar="SECONDS",
        help=f"wait until the node is ready, at most so long (default {WAIT_SECONDS:g})",
    )
    parser.set_defaults(function=show)


def show(options: argparse.Namespace) -> int:
    """Print the status, once ready or out of time. Returns the exit status."""
    current = wait(options.wait)
    print(current.model_dump_json(indent=2) if options.json else text(current))
    return READY if current.ready else NOT_READY


def wait(seconds: float) -> status.Status:
    """The first status that is ready, or the one after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        current = status.load(status.PATH)
        if current.ready or time.monotonic() >= end:
            return current
        time.sleep(POLL_SECONDS)


def text(current: status.Status) -> str:
    """The status for a person."""
    lines: list[str] = [current.stage]
    if node := current.node:
        lines[0] = f"{node.fqdn}: {current.stage}"
        lines.append(f"web interface: {node.web_url or 'no address yet'}")
        lines.append(f"clock: {current.clock}; hardware virtualization (KVM): {node.kvm}")
    for name, step in current.steps.items():
        lines.append(f"  {name:10} {step.state:12} {step.seconds:7.1f} s  {step.reason}".rstrip())
    lines += [f"missing: {line}" for line in current.unmet]
    return "\n".join(lines)
