"""Groups and guests under HA, as the CIB and Pacemaker have them. Pure.

A group is an attribute of its nodes, `slipway-group-NAME` with a node's priority. The attribute of
a restricted group is called `slipway-only-NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict

from agent.cluster.cib import values
from agent.cluster.guests.model import COPIES, guest
from agent.guests.model import KINDS, Kind

OPEN, RESTRICTED = "slipway-group-", "slipway-only-"
AGENTS = ("VirtualDomain", "lxc")
# With a stickiness above any priority a guest stays where it is.
STAYS, RETURNS = 1000, 0
# Beside others for virsh: disks are copied.
COPY_STORAGE = "--copy-storage-all"


class Model(BaseModel):
    """An immutable part of what is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Group(Model):
    """Nodes with their priorities; the highest comes first. restricted: never on other nodes."""

    name: str
    nodes: dict[str, int]
    restricted: bool

    @property
    def attribute(self) -> str:
        """The name of the nodes' attribute."""
        return (RESTRICTED if self.restricted else OPEN) + self.name


class Guest(Model):
    """A guest under HA. state: Pacemaker's word, or "failed"; node: where it is."""

    name: str
    kind: Kind
    group: str | None
    state: str
    node: str | None
    wanted: Literal["started", "stopped"]
    failback: bool


class Listed(Model):
    """What `slipway ha list` shows."""

    enabled: bool
    why_off: str
    guests: tuple[Guest, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Resource:
    """A guest in the CIB. id: of the resource; local: its disks are not shared."""

    id: str
    group: str | None
    wanted: Literal["started", "stopped"]
    failback: bool
    local: bool


def groups(cib: Element) -> dict[str, Group]:
    """The groups by their names. cib: the whole CIB."""
    found: dict[str, Group] = {}
    for node in cib.iterfind("configuration/nodes/node"):
        for pair in node.iter("nvpair"):
            attribute, value = pair.get("name", ""), pair.get("value", "")
            for prefix in (OPEN, RESTRICTED):
                if attribute.startswith(prefix) and value.isdigit():
                    name = attribute.removeprefix(prefix)
                    nodes = found[name].nodes if name in found else {}
                    nodes = nodes | {node.get("uname", ""): int(value)}
                    found[name] = Group(name=name, nodes=nodes, restricted=prefix == RESTRICTED)
    return dict(sorted(found.items()))


def resources(cib: Element, folder: Path = COPIES) -> dict[str, Resource]:
    """The guests under HA, by their keys: what Pacemaker starts from the copies in the folder."""
    found = {}
    for element in cib.iterfind("configuration/resources//primitive"):
        options = values(element, "instance_attributes")
        path = Path(options.get("config", ""))
        if element.get("type") in AGENTS and path.parent == folder:
            found[path.stem] = _resource(cib, element, options)
    return dict(sorted(found.items()))


def _resource(cib: Element, element: Element, options: Mapping[str, str]) -> Resource:
    meta = values(element, "meta_attributes")
    name = element.get("id", "")
    stopped = meta.get("target-role", "Started").lower() == "stopped"
    return Resource(
        id=name,
        group=_group_of(cib, name),
        wanted="stopped" if stopped else "started",
        failback=meta.get("resource-stickiness") == str(RETURNS),
        local=element.get("type") == "lxc" or COPY_STORAGE in options.get("migrate_options", ""),
    )


def _group_of(cib: Element, resource: str) -> str | None:
    for rule in cib.iterfind(f"configuration/constraints/rsc_location[@rsc='{resource}']/rule"):
        attribute = rule.get("score-attribute", "")
        for prefix in (OPEN, RESTRICTED):
            if attribute.startswith(prefix):
                return attribute.removeprefix(prefix)
    return None


def shown(found: Mapping[str, Resource], monitor: Element) -> tuple[Guest, ...]:
    """The guests for people. monitor: crm_mon's XML, stopped resources included."""
    seen = {each.get("id", ""): each for each in monitor.iter("resource")}
    return tuple(_shown(key, one, seen.get(one.id)) for key, one in found.items())


def _shown(key: str, resource: Resource, seen: ElementTree.Element | None) -> Guest:
    kind, name = guest(key)
    node = None if seen is None else seen.find("node")
    return Guest(
        name=name,
        kind=KINDS[kind],
        group=resource.group,
        state=_state(seen),
        node=None if node is None else node.get("name"),
        wanted=resource.wanted,
        failback=resource.failback,
    )


def _state(seen: ElementTree.Element | None) -> str:
    if seen is None:
        return "unknown"
    if "true" in (seen.get("failed"), seen.get("blocked")):
        return "failed"
    return (seen.get("pending") or seen.get("role") or "unknown").lower()
