"""`slipway template`: what containers can be made from."""

from __future__ import annotations

import argparse
import json
import sys
import threading

from agent import config
from agent.core.errors import SlipwayError
from agent.templates.catalogue import TemplateError
from agent.templates.fetch import Fetcher
from agent.templates.members import member_sources
from agent.templates.store import Entry, Store


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `template` to the command line."""
    template = commands.add_parser("template", help="templates of containers")
    actions = template.add_subparsers(required=True, metavar="ACTION")
    _add_list(actions)
    _add_fetch(actions)
    parser = actions.add_parser("remove", help="remove a template from the node")
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(function=remove)


def _add_list(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "list",
        help="show the templates of the node, or those that can be fetched",
        description="Show the templates of the node. With --available ask the sources of "
        f"{config.PATH} what they have; those that do not answer are named, and the exit status "
        "is 1.",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--available", action="store_true", help="what can be fetched")
    shown.add_argument("--json", action="store_true", help="print the node's as an object")
    parser.set_defaults(function=show)


def _add_fetch(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "fetch",
        help="fetch templates",
        description="Fetch templates that the node does not have yet. The sources of "
        f"{config.PATH} are asked in their order until one has it, and its digest is right.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as debian/13/amd64")
    parser.add_argument("--source", metavar="SOURCE", help="ask this source only")
    parser.add_argument("--wanted", action="store_true", help="those of the node's configuration")
    parser.set_defaults(function=fetch)


def show(options: argparse.Namespace) -> int:
    """Print the templates. Returns the exit status."""
    if options.available:
        return _show_available(fetcher(config.load().templates))
    entries = Store().entries()
    if options.json:
        print(json.dumps({"templates": [_object(entry) for entry in entries]}, indent=2))
        return 0
    rows = [_row(entry) for entry in entries]
    width = max((len(name) for name, *_ in rows), default=0)
    for name, size, fetched in rows:
        print(f"{name:{width}}  {size:>10}  {fetched}")
    return 0


def fetch(options: argparse.Namespace) -> int:
    """Fetch templates, and say what became of each. Returns the exit status."""
    settings = config.load().templates
    names = [*options.names, *(settings.fetch if options.wanted else ())]
    if not names and not options.wanted:
        raise TemplateError("no template was named", hint="slipway template fetch debian/13/amd64")
    failed = False
    for name, outcome in fetcher(settings, options.source).fetch_all(names).items():
        if isinstance(outcome, SlipwayError):
            failed = True
            print(f"slipway: {outcome}", file=sys.stderr)
        else:
            print(f"{name}: {outcome.path}")
    return 1 if failed else 0


def remove(options: argparse.Namespace) -> int:
    """Remove a template. Returns the exit status."""
    Store().remove(options.name)
    return 0


def fetcher(settings: config.Templates, only: str | None = None) -> Fetcher:
    """The fetcher of all sources, other members first, or of one of them.

    Raises TemplateError when there is no such source.
    """
    known = (*member_sources(), *settings.sources)
    sources = [source for source in known if only in (None, source.name)]
    if only and not sources:
        names = ", ".join(source.name for source in known)
        raise TemplateError(f"there is no source {only}", hint=f"there are: {names or 'none'}")
    return Fetcher(Store(), sources, proxy=settings.proxy, progress=Meter().show)


class Meter:
    """Prints each ten percent of each template, or each 64 MiB where the size is not known."""

    def __init__(self) -> None:
        self._shown: dict[str, int] = {}
        self._printing = threading.Lock()

    def show(self, name: str, done: int, size: int | None) -> None:
        """Say how far a template is, in bytes, when there is something new to say."""
        part = done * 10 // size if size else done >> 26
        with self._printing:
            if self._shown.get(name) == part:
                return
            self._shown[name] = part
            share = f"{part * 10:3} % of {_megabytes(size)}" if size else _megabytes(done)
            print(f"{name}: {share}", flush=True)


def _show_available(sources: Fetcher) -> int:
    failed = False
    for source in sources.sources:
        try:
            found = sources.available(source)
        except SlipwayError as error:
            failed = True
            print(f"slipway: {source.name}: {error}", file=sys.stderr)
            continue
        for template in sorted(found, key=lambda template: template.names[0]):
            print(f"{source.name}  {template.version or '-'}  {' '.join(template.names)}")
    return 1 if failed else 0


def _row(entry: Entry) -> tuple[str, str, str]:
    return entry.name, _megabytes(entry.size_bytes), f"{entry.fetched:%Y-%m-%d %H:%M}"


def _object(entry: Entry) -> dict[str, object]:
    fetched = entry.fetched.isoformat(timespec="seconds")
    return {"name": entry.name, "size_bytes": entry.size_bytes, "fetched": fetched}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
