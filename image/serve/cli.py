"""`image serve`: the netboot server's command line."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve` to the command line."""
    parser = commands.add_parser("serve", help="feed netboot files and answers to machines")
    parser.add_argument("--site", type=Path, required=True, metavar="FILE", help="the site file")
    parser.set_defaults(function=_serve)
    actions = parser.add_subparsers(metavar="ACTION")
    actions.add_parser("validate", help="check the site file and stop").set_defaults(
        function=_validate
    )
    render = actions.add_parser("render", help="show the answer that a machine would get")
    render.add_argument("machine", metavar="MACHINE", help="hardware address or name")
    render.set_defaults(function=_render)


# What an action imports is installed where it runs, and not wherever this command line is read.
def _serve(options: argparse.Namespace) -> int:
    from image.serve.load_site import load_site
    from image.serve.server import serve

    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
    serve(load_site(options.site))
    return 0


def _validate(options: argparse.Namespace) -> int:
    from image.serve.load_site import load_site
    from image.serve.preview import remarks

    for remark in remarks(load_site(options.site)):
        print(f"warning: {remark}", file=sys.stderr)
    print(f"{options.site}: the site file is valid")
    return 0


def _render(options: argparse.Namespace) -> int:
    from image.serve.load_site import load_site
    from image.serve.preview import preview
    from image.serve.server import STATE, state_folder

    loaded = load_site(options.site)
    rendered, matched = preview(loaded, state_folder(loaded) / STATE, options.machine)
    for kind, scope in (("group", matched.group), ("machine", matched.machine)):
        print(f"# {kind}: {scope.name if scope else 'none'}")
    print(rendered.shown)
    return 0
