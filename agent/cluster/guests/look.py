"""What a member has: guests that are defined, copies, what is on. Changes nothing."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from agent import hypervisor
from agent.cluster import configuration, monitor
from agent.cluster.cib import Cib
from agent.cluster.guests.model import (
    COPIES,
    SUFFIXES,
    claims,
    copy_of,
    digest,
    guest,
    key,
    wanting,
)
from agent.cluster.guests.plan import State
from agent.containers.model import FOLDER as LXC
from agent.core.command import run

# Where libvirt keeps the definitions that it has been given.
LIBVIRT = Path("/etc/libvirt/qemu")
# Pacemaker's own file of the CIB, which it replaces at every change of the configuration.
CIB_FILE = Path("/var/lib/pacemaker/cib/cib.xml")
# What slipway-guests.path watches.
WATCHED = (LIBVIRT, LXC, COPIES, CIB_FILE)
SECONDS = 120


def stamps(paths: Iterable[Path]) -> tuple[tuple[int, int] | None, ...]:
    """Inode and time of each of the watched paths: others when one of them has changed."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def definitions(libvirt: Path = LIBVIRT, lxc: Path = LXC) -> dict[str, str]:
    """The text of every definition, by the guests' keys."""
    machines: dict[str, Path] = {key("vm", path.stem): path for path in libvirt.glob("*.xml")}
    containers = {key("container", path.parent.name): path for path in lxc.glob("*/config")}
    return {name: path.read_text() for name, path in (machines | containers).items()}


def copies(folder: Path = COPIES) -> dict[str, str]:
    """The digest of every copy, by the guests' keys."""
    paths = [path for suffix in SUFFIXES.values() for path in folder.glob(f"*{suffix}")]
    return {path.stem: digest(path.read_text()) for path in paths if path.name[0] != "."}


def managed(folder: Path = COPIES) -> frozenset[str]:
    """Guests that Pacemaker starts from their copies."""
    xml = run(["cibadmin", "--query", "--scope", "resources"], timeout=SECONDS).stdout
    pairs = ElementTree.fromstring(xml).iter("nvpair")
    paths = [Path(pair.get("value", "")) for pair in pairs if pair.get("name") == "config"]
    return frozenset(path.stem for path in paths if path.parent == folder)


def counting(definitions: Mapping[str, str], managed: Collection[str]) -> dict[str, str]:
    """The definitions that count. LXC's own of a container that Pacemaker starts does not: it stays
    on a node that the container leaves.
    """
    return {
        name: text
        for name, text in definitions.items()
        if guest(name)[0] == "vm" or name not in managed
    }


def same_machine(definition: str, copy: str) -> bool:
    """Whether two definitions are of the same virtual machine, by its UUID."""
    if definition == copy:
        return True
    try:
        one, other = (ElementTree.fromstring(text).findtext("uuid") for text in (definition, copy))
    except ElementTree.ParseError:
        return False
    return one is not None and one == other


def on(guests: Iterable[str]) -> dict[str, bool]:
    """Guests that are on, by their keys, and whether each runs or is paused. Raises Retry.

    guests: all that matter; who has none of a kind is not asked.
    """
    kinds = {guest(name)[0] for name in guests}
    machines = hypervisor.active() if "vm" in kinds else {}
    argv = ["lxc-ls", "--active", "-1"]
    containers = run(argv, timeout=SECONDS).stdout.split() if "container" in kinds else []
    found = {key("vm", name): runs for name, runs in machines.items()}
    return found | {key("container", name): True for name in containers}


def look(refused: Path, folder: Path = COPIES) -> State | None:
    """All of it; None while this node takes part in no cluster with quorum.

    The files are read before the CIB: a copy is never older than the claim that it came with.
    Raises CommandFailed, Retry.
    """
    made, view = configuration.read(), monitor.look()
    if made is None or view is None or not view.quorate:
        return None
    found, copied = definitions(), copies(folder)
    texts = Cib().texts()
    claimed = claims(texts)
    by_pacemaker = managed() if claimed else frozenset()
    defined = counting(found, by_pacemaker)
    active = on([*defined, *claimed])
    return State(
        own=socket.gethostname(),
        members=frozenset(node.name for node in made.nodes),
        online=frozenset(view.online),
        definitions={name: digest(text) for name, text in defined.items()},
        copies=copied,
        claims=claimed,
        same=_same(defined, copied, folder),
        active=frozenset(active),
        running=frozenset(name for name, runs in active.items() if runs),
        managed=by_pacemaker,
        wanting=wanting(texts),
        refused=frozenset(path.name for path in refused.glob("*")) & starting_with_the_node(),
    )


def starting_with_the_node(libvirt: Path = LIBVIRT, lxc: Path = LXC) -> frozenset[str]:
    """Guests that are set to start with the node."""
    machines = [key("vm", path.stem) for path in (libvirt / "autostart").glob("*.xml")]
    containers = [
        key("container", path.parent.name)
        for path in lxc.glob("*/config")
        if "lxc.start.auto=1" in path.read_text().replace(" ", "").splitlines()
    ]
    return frozenset([*machines, *containers])


def _same(defined: Mapping[str, str], copied: Mapping[str, str], folder: Path) -> frozenset[str]:
    both = defined.keys() & copied.keys()
    return frozenset(
        name for name in both if same_machine(defined[name], copy_of(name, folder).read_text())
    )
