"""`slipway container`: unprivileged containers on the node's own storage."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from agent import config
from agent.containers import look, lxc, model, plan
from agent.containers.model import Container, Network, Record
from agent.core.commands import Command, explain, perform
from agent.templates.store import Store

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_parser(commands: Actions) -> None:
    """Add `container` to the command line."""
    container = commands.add_parser("container", help="containers")
    actions = container.add_subparsers(required=True, metavar="ACTION")
    _add_create(actions)
    _add_clone(actions)
    _add_list(actions)
    _add_snapshot(actions)
    for name, function, words in (
        ("start", start, "start a container"),
        ("stop", stop, "shut a container down"),
        ("remove", remove, "remove a container, its disk and its snapshots"),
        ("rollback", rollback, "make a stopped container's disk what it was"),
    ):
        parser = _add(actions, name, words)
        parser.set_defaults(function=function)
        if name == "rollback":
            parser.add_argument("snapshot", metavar="SNAPSHOT")
        if name == "stop":
            parser.add_argument("--force", action="store_true", help="kill it at once")


def _add(actions: Actions, name: str, words: str, description: str = "") -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=words, description=description or None)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--explain", action="store_true", help="print the commands instead of running them"
    )
    return parser


def _add_create(actions: Actions) -> None:
    parser = _add(
        actions,
        "create",
        "make a container from a template",
        "Make an unprivileged container from a template of the node. When it fails, nothing is "
        "left behind. Sizes are like 512M or 4G.",
    )
    parser.add_argument("--template", required=True, metavar="TEMPLATE", help="debian/13/amd64")
    parser.add_argument("--memory", default="512M", metavar="SIZE", help="limit (512M)")
    parser.add_argument("--cores", default="1", metavar="NUMBER", help="limit, such as 0.5 (1)")
    parser.add_argument("--disk", default="4G", metavar="SIZE", help="size of the disk (4G)")
    parser.add_argument("--storage", metavar="POOL", help="an extra pool for the disk")
    parser.add_argument("--start-at-boot", action="store_true", help="start it with the node")
    _add_network(parser)
    parser.set_defaults(function=create)


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bridge", default="vmbr0", metavar="BRIDGE", help="(vmbr0)")
    parser.add_argument(
        "--ip",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="fixed address with its prefix, one for each of IPv4 and IPv6 (dhcp)",
    )
    parser.add_argument("--gateway", action="append", default=[], metavar="ADDRESS")


def _add_clone(actions: Actions) -> None:
    parser = _add(
        actions,
        "clone",
        "make a container from another one",
        "Make a container with the disk and limits of another one, and a network card of its own.",
    )
    parser.add_argument("new", metavar="NEW")
    parser.add_argument(
        "--linked", action="store_true", help="share what both have, instead of a copy"
    )
    _add_network(parser)
    parser.set_defaults(function=clone)


def _add_list(actions: Actions) -> None:
    parser = actions.add_parser("list", help="show the containers of the node")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    parser.set_defaults(function=show)


def _add_snapshot(actions: Actions) -> None:
    parser = _add(actions, "snapshot", "keep the disk of a container as it is, or list snapshots")
    parser.add_argument("snapshot", nargs="?", metavar="SNAPSHOT", help="name of the snapshot")
    parser.add_argument("--remove", action="store_true", help="give the snapshot up")
    parser.set_defaults(function=snapshot)


def create(options: argparse.Namespace) -> int:
    """Make a container. Returns the exit status."""
    settings = config.load()
    container = Container(
        name=model.check_name(options.name),
        network=_network(options),
        memory_bytes=model.bytes_of(options.memory, model.SMALLEST_MEMORY),
        cores=model.cores_of(options.cores),
        start_at_boot=options.start_at_boot,
    )
    record = Record(
        storage=look.choose_storage(settings, options.storage),
        disk_bytes=model.bytes_of(options.disk, model.SMALLEST_DISK),
        template=options.template,
    )
    look.check_new(container.name)
    template = Store().get(options.template)
    volumes = look.volumes(record.storage)
    return _do(options, plan.create(container, record, volumes, template.path))


def clone(options: argparse.Namespace) -> int:
    """Make a container from another one. Returns the exit status."""
    source = look.see(options.name)
    container = Container(
        name=model.check_name(options.new), network=_network(options), memory_bytes=0, cores=0
    )
    look.check_new(container.name)
    volumes = look.volumes(source.record.storage)
    return _do(options, plan.clone(source, container, volumes, linked=options.linked))


def start(options: argparse.Namespace) -> int:
    """Start a container. Returns the exit status."""
    look.see(options.name)
    return _do(options, lxc.start(options.name))


def stop(options: argparse.Namespace) -> int:
    """Shut a container down. Returns the exit status."""
    look.see(options.name)
    return _do(options, (lxc.stop(options.name, force=options.force),))


def remove(options: argparse.Namespace) -> int:
    """Remove a container. Returns the exit status."""
    seen = look.see(options.name)
    return _do(options, plan.remove(seen, look.volumes(seen.record.storage)))


def snapshot(options: argparse.Namespace) -> int:
    """Take, remove or list snapshots. Returns the exit status."""
    seen = look.see(options.name)
    if options.snapshot is None:
        print("\n".join(seen.snapshots) or "no snapshots")
        return 0
    volumes = look.volumes(seen.record.storage)
    if options.remove:
        return _do(options, plan.remove_snapshot(seen, options.snapshot, volumes))
    label = model.check_snapshot(options.snapshot)
    return _do(options, plan.snapshot(seen, label, volumes))


def rollback(options: argparse.Namespace) -> int:
    """Make a disk what it was. Returns the exit status."""
    seen = look.see(options.name)
    volumes = look.volumes(seen.record.storage)
    return _do(options, plan.rollback(seen, options.snapshot, volumes))


def show(options: argparse.Namespace) -> int:
    """Print the containers. Returns the exit status."""
    rows = [_row(name) for name in look.names()]
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        words = [
            f"{row['name']:24}",
            f"{row['state']:11}",
            f"{row['memory_bytes'] >> 20} MiB memory",
        ]
        words += [f"{row['disk_bytes'] >> 20} MiB disk", f"{row['cores']:g} cores"]
        words += ["starts at boot"] if row["start_at_boot"] else []
        print("  ".join([*words, *row["addresses"]]))
    return 0


def _row(name: str) -> dict[str, Any]:
    seen = look.see(name)
    values = lxc.values(seen.configuration)
    cpu = values.get("lxc.cgroup2.cpu.max", ("0 1",))[-1].split()
    running = seen.state == plan.RUNNING
    return {
        "name": name,
        "state": seen.state,
        "addresses": list(look.addresses(name)) if running else [],
        "memory_bytes": int(values.get("lxc.cgroup2.memory.max", ("0",))[-1]),
        "cores": int(cpu[0]) / int(cpu[1]),
        "disk_bytes": seen.record.disk_bytes,
        "start_at_boot": values.get("lxc.start.auto", ("0",))[-1] == "1",
        "snapshots": list(seen.snapshots),
        "template": seen.record.template,
    }


def _network(options: argparse.Namespace) -> Network:
    look.check_bridge(options.bridge)
    addresses = model.addresses_of(options.ip)
    return Network(
        bridge=options.bridge,
        mac=look.new_mac(),
        addresses=addresses,
        gateways=model.gateways_of(options.gateway, addresses),
        name_servers=look.name_servers() if addresses else (),
    )


def _do(options: argparse.Namespace, commands: Sequence[Command]) -> int:
    if options.explain:
        print(explain(commands))
    else:
        perform(commands)
    return 0
