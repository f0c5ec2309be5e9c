"""`slipway kit`: what a rack of blank machines needs to become one cluster, made offline."""

from __future__ import annotations

import argparse
import datetime
import re
from pathlib import Path

from agent.cluster import kit
from agent.cluster.duration import duration
from agent.core.errors import SlipwayError
from agent.core.files import write_atomically

# Corosync takes more; this fits every place where the name is shown.
CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,14}")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `kit` to the command line."""
    parser = commands.add_parser(
        "kit",
        help="make what blank machines need to become one cluster",
        description="Make a cluster's authority and one join token per node, and show each "
        "node's [cluster] table for its answer file. They are secrets. Works without root and "
        "without a network, on any machine.",
    )
    parser.add_argument("name", metavar="NAME", help="name of the cluster")
    parser.add_argument(
        "--nodes", required=True, type=_words, help="names of the nodes; the first one creates"
    )
    parser.add_argument(
        "--addresses", type=_words, default=(), help="their addresses; default: their names"
    )
    parser.add_argument(
        "--ttl", type=duration, default=kit.LIFETIME, help="life of the tokens; default: 7d"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="write NODE.toml files there instead"
    )
    parser.set_defaults(function=run_kit)


def run_kit(options: argparse.Namespace) -> int:
    """Make a kit and print it, or write it into a folder."""
    if not CLUSTER_NAME.fullmatch(options.name):
        raise SlipwayError(
            f'"{options.name}" is not the name of a cluster',
            hint="use letters, digits and hyphens, at most 15",
        )
    now = datetime.datetime.now(datetime.UTC)
    addresses = _pairs(options.nodes, options.addresses)
    tables = kit.make(options.name, options.nodes, addresses, now, options.ttl)
    for node, part in tables.items():
        if options.output:
            path = options.output / f"{node}.toml"
            write_atomically(path, part.table(), mode=0o600)
            print(path)
        else:
            print(f"# {node}\n{part.table()}")
    return 0


def _pairs(nodes: tuple[str, ...], addresses: tuple[str, ...]) -> dict[str, str]:
    if addresses and len(addresses) != len(nodes):
        raise SlipwayError(
            f"{len(nodes)} nodes and {len(addresses)} addresses do not fit",
            hint="give one address for each node, in the same order",
        )
    return dict(zip(nodes, addresses, strict=False))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))
