"""`python3 -m image`: the builder's command line, run by build.sh inside the tools tree."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from agent import stack
from agent.core.errors import SlipwayError
from image.build import Build, release_epoch
from image.cache import Cache
from image.progress import Progress
from image.steps import Steps

TOP = Path(__file__).resolve().parents[1]


def build(verbose: bool) -> None:
    """Build the ISO into out/."""
    cache = Path(os.environ["SLIPWAY_CACHE"])
    stack_file = TOP / "image/stacks/kvm-ha.toml"
    epoch = release_epoch(TOP / "CHANGELOG.md")
    steps = Steps(TOP, cache / "apt", stack_file, stack.load(stack_file), epoch)
    progress = Progress(TOP / "out/logs", verbose)
    Build(steps, Cache(cache / "steps"), progress, TOP / "out").run()


def main() -> int:
    """Parse the command line; errors become text and exit status 1."""
    parser = argparse.ArgumentParser(prog="python3 -m image")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("build", help="build the ISO into out/")
    command.add_argument("--verbose", action="store_true", help="show the tools' own output")
    arguments = parser.parse_args()
    try:
        build(arguments.verbose)
    except SlipwayError as error:
        print(f"\nfailed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
