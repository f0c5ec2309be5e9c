"""`slipway storage add|list|remove|wait`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agent import hypervisor
from agent.core.commands import add_explain
from agent.core.errors import SlipwayError
from agent.storages import fill, registry, use
from agent.storages.model import NAME, Storage, needs_secret, where
from agent.systemd import Systemd

# Kinds of storages: what each is, and its options, as (name, help, required).
KINDS: dict[str, tuple[str, tuple[tuple[str, str, bool], ...]]] = {
    "directory": ("a directory of the node", (("path", "the directory", True),)),
    "lvm": (
        "a volume group with thick volumes",
        (("volume-group", "name of the volume group", True),),
    ),
    "lvm-thin": (
        "a thin pool",
        (
            ("volume-group", "name of the volume group", True),
            ("thin-pool", "name of the pool in it", True),
        ),
    ),
    "zfs": ("sparse volumes below a dataset", (("dataset", "the dataset", True),)),
    "nfs": (
        "an NFS export",
        (
            ("server", "address or name", True),
            ("export", "path on the server", True),
            ("version", "3, 4, 4.1 or 4.2", False),
        ),
    ),
    "smb": (
        "an SMB share",
        (
            ("server", "address or name", True),
            ("share", "name of the share", True),
            ("username", "account; without one, as a guest", False),
            ("domain", "domain of the account", False),
        ),
    ),
    "iscsi": (
        "the LUNs of an iSCSI target",
        (
            ("portal", "address or name", True),
            ("port", "TCP port, 3260 by default", False),
            ("target", "qualified name of the target", True),
            ("username", "CHAP account", False),
        ),
    ),
    "rbd": (
        "a pool of a Ceph cluster",
        (
            ("monitors", "address; give it for each monitor", True),
            ("pool", "name of the pool", True),
            ("username", 'Ceph client, "admin" by default', False),
        ),
    ),
    "gluster": (
        "a GlusterFS volume",
        (
            ("servers", "address or name; give it for each server", True),
            ("volume", "name of the volume", True),
        ),
    ),
}
# Options that are given several times.
SEVERAL = ("monitors", "servers")
AGENT = "slipway-agent.service"
# Seconds between two tries.
INTERVAL = 15.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `storage` to the command line."""
    storage = commands.add_parser("storage", help="storage for guests beside the node's disks")
    actions = storage.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="register a storage and take it into use")
    kinds = add.add_subparsers(required=True, metavar="KIND", dest="kind")
    for kind, (summary, options) in KINDS.items():
        _add_kind(kinds, kind, summary, options)
    listing = actions.add_parser("list", help="the storages of the node")
    listing.add_argument("--json", action="store_true", help="print an object, with sizes")
    listing.set_defaults(function=run_list)
    remove = actions.add_parser(
        "remove", help="give a storage up", description="What is on it is not touched."
    )
    remove.add_argument("name", metavar="NAME")
    add_explain(remove)
    remove.set_defaults(function=run_remove)
    wait = actions.add_parser("wait", help="take every storage into use when its server answers")
    wait.set_defaults(function=run_wait)


def _add_kind(
    kinds: argparse._SubParsersAction[argparse.ArgumentParser],
    kind: str,
    summary: str,
    options: tuple[tuple[str, str, bool], ...],
) -> None:
    parser = kinds.add_parser(kind, help=summary)
    parser.add_argument("name", metavar="NAME", help="name of the storage")
    for name, text, required in options:
        parser.add_argument(
            f"--{name.removesuffix('s') if name in SEVERAL else name}",
            dest=name,
            help=text,
            required=required,
            action="append" if name in SEVERAL else "store",
        )
    if kind in ("smb", "iscsi", "rbd"):
        parser.add_argument(
            "--secret-file", type=Path, help='file with the password or key, "-" to read it'
        )
    add_explain(parser)
    parser.set_defaults(function=run_add, secret_file=None)


def run_add(options: argparse.Namespace) -> int:
    """Register a storage, unless it cannot be used."""
    storage = storage_of(options)
    name = options.name
    if not re.fullmatch(NAME, name):
        raise SlipwayError(
            "a name has small letters, digits, _ and -, begins with a letter, and is at most 31 "
            "characters long",
            where=f"storage {name}",
        )
    if name in registry.load() or name in hypervisor.pools():
        raise SlipwayError("there is a storage of this name", where=f"storage {name}")
    secret = _read_secret(storage, options.secret_file)
    if options.explain:
        use.connect(name, storage, explain=True)
        return 0
    registry.save(name, storage, secret)
    try:
        use.connect(name, storage)
    except BaseException:
        use.disconnect(name, storage)
        registry.forget(name)
        raise
    return 0


def storage_of(options: argparse.Namespace) -> Storage:
    """The storage that the command line describes. Raises SlipwayError."""
    _, known = KINDS[options.kind]
    given = {name: getattr(options, name) for name, _, _ in known}
    values = {
        name.replace("-", "_"): tuple(value) if name in SEVERAL else value
        for name, value in given.items()
        if value is not None
    }
    adapter: TypeAdapter[Storage] = TypeAdapter(Storage)
    try:
        return adapter.validate_python({"kind": options.kind, **values})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][1]).replace("_", "-") if len(first["loc"]) > 1 else ""
        raise SlipwayError(
            f"--{option} cannot be {first['input']!r}", where=f"storage {options.name}"
        ) from error


def _read_secret(storage: Storage, path: Path | None) -> str:
    if not needs_secret(storage):
        return ""
    if path is None:
        raise SlipwayError(
            "the storage needs a password or key", hint="give --secret-file FILE, or - to read it"
        )
    text = sys.stdin.read() if str(path) == "-" else path.read_text()
    secret = text.strip("\r\n")
    if not secret or not secret.isprintable():
        raise SlipwayError("the secret must be one line", where=str(path))
    return secret


def run_list(options: argparse.Namespace) -> int:
    """Show the pools of libvirt and the storages they are."""
    if options.json:
        rows_of = [asdict(one) for one in fill.look()]
        print(json.dumps({"storages": rows_of}, indent=2))
        return 0
    declared, pools = registry.load(), hypervisor.pools()
    rows = [("NAME", "KIND", "STATE", "WHERE")]
    for name in sorted({*declared, *pools}):
        storage = declared.get(name)
        state = "in use" if pools.get(name) else "not in use"
        rows.append(
            (name, storage.kind if storage else "", state, where(storage) if storage else "")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print(
            "  ".join(
                [*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[3]]
            ).rstrip()
        )
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Give a storage up."""
    declared = registry.load()
    if options.name not in declared:
        raise SlipwayError(
            "there is no declared storage of this name",
            where=f"storage {options.name}",
            hint=f"declared are: {', '.join(declared) or 'none'}",
        )
    use.disconnect(options.name, declared[options.name], explain=options.explain)
    if not options.explain:
        registry.forget(options.name)
    return 0


def run_wait(options: argparse.Namespace) -> int:
    """Try until every storage is in use; then let the agent renew the status."""
    while use.connect_all():
        time.sleep(INTERVAL)
    Systemd().restart(AGENT)
    return 0
