"""Starting and stopping a guest: by Pacemaker where it is under HA, else by libvirt or LXC."""

from __future__ import annotations

from collections.abc import Collection

from agent.cluster import local
from agent.cluster.guests.model import key
from agent.containers import lxc
from agent.core.commands import Command, command
from agent.core.errors import SlipwayError
from agent.guests.model import Kind
from agent.ha.look import cib
from agent.ha.model import resources

VIRSH = ("virsh", "--connect", "qemu:///system")


def plan(
    action: str, kind: Kind, name: str, resource: str, here: Collection[str], *, force: bool = False
) -> tuple[Command, ...]:
    """What starts or stops a guest. action: "start" or "stop"; resource: its name in Pacemaker,
    empty without HA; here: names of the guests of that kind on this node.

    Raises SlipwayError for a guest that is not here and that Pacemaker does not know.
    """
    if resource and not force:
        return (command("pcs", "resource", "enable" if action == "start" else "disable", resource),)
    if resource:
        raise SlipwayError(
            f"the {kind} {name} is under HA, which starts what is killed",
            hint=f"without --force: slipway guest stop {kind} {name}",
        )
    if name not in here:
        raise SlipwayError(
            f"there is no {kind} {name} on this node",
            hint="do it on the node where it is; only for a guest under HA any node will do",
        )
    if kind == "container":
        return lxc.start(name) if action == "start" else (lxc.stop(name, force=force),)
    verb = "start" if action == "start" else "destroy" if force else "shutdown"
    return (command(*VIRSH, verb, "--domain", name),)


def resource_of(kind: Kind, name: str) -> str:
    """The name under which Pacemaker runs a guest; empty when it does not. Raises CommandFailed."""
    if not local.configured():
        return ""
    found = resources(cib()).get(key("vm" if kind == "machine" else kind, name))
    return found.id if found else ""
