"""`python3 -m image`: the builder's command line, run by build.sh inside the tools tree.

Only `build` needs that tree; the others need xorriso.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import stack
from agent.core.errors import SlipwayError
from image import inspect_iso, prepare
from image.build import Build, release_epoch
from image.cache import Cache
from image.progress import Progress
from image.serve import cli as serve
from image.steps import Steps

TOP = Path(__file__).resolve().parents[1]


def build(options: argparse.Namespace) -> int:
    """Build the ISO into out/."""
    cache = Path(os.environ["SLIPWAY_CACHE"])
    stack_file = TOP / "image/stacks/kvm-ha.toml"
    epoch = release_epoch(TOP / "CHANGELOG.md")
    steps = Steps(TOP, cache / "apt", stack_file, stack.load(stack_file), epoch)
    progress = Progress(TOP / "out/logs", options.verbose)
    Build(steps, Cache(cache / "steps"), progress, TOP / "out").run()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line; errors become text and exit status 1."""
    parser = argparse.ArgumentParser(prog="python3 -m image")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("build", help="build the ISO into out/")
    command.add_argument("--verbose", action="store_true", help="show the tools' own output")
    command.set_defaults(function=build)
    prepare.add_parser(commands)
    inspect_iso.add_parser(commands)
    serve.add_parser(commands)
    options = parser.parse_args(argv)
    try:
        return int(options.function(options))
    except SlipwayError as error:
        print(f"\nfailed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
