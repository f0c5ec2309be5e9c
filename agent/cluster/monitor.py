"""What Pacemaker sees: who is online, who leads, what runs, what was fenced."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from agent.core.command import run
from agent.core.errors import CommandFailed, CommandTimeout

SECONDS = 120


@dataclass(frozen=True)
class NodeState:
    """A node as the designated controller sees it. unclean: it must be fenced."""

    name: str
    online: bool
    unclean: bool
    standby: bool
    pending: bool


@dataclass(frozen=True)
class Fenced:
    """One fencing in Pacemaker's history. status: "success", "failed" or "pending"."""

    target: str
    action: str
    status: str
    completed: str


@dataclass(frozen=True)
class View:
    """One look at the cluster. controller: the designated one, empty while there is none;
    resources: names of what runs under Pacemaker.
    """

    quorate: bool
    controller: str
    nodes: tuple[NodeState, ...]
    resources: tuple[str, ...]
    fenced: tuple[Fenced, ...]

    @property
    def online(self) -> tuple[str, ...]:
        """Names of the nodes that take part."""
        return tuple(node.name for node in self.nodes if node.online and not node.pending)


def look() -> View | None:
    """The cluster as this node sees it; None while Pacemaker does not run here."""
    try:
        return parse(query())
    except (CommandFailed, CommandTimeout):
        return None


def query() -> str:
    """crm_mon's XML, stopped resources included. Raises CommandFailed, CommandTimeout."""
    argv = ["crm_mon", "--one-shot", "--output-as=xml", "--inactive"]
    return run(argv, timeout=SECONDS).stdout


def parse(xml: str) -> View:
    """From crm_mon's XML."""
    root = ElementTree.fromstring(xml)
    controller = root.find("summary/current_dc")
    leads = controller is not None and controller.get("present") == "true"
    return View(
        quorate=leads and controller is not None and controller.get("with_quorum") == "true",
        controller=controller.get("name", "") if leads and controller is not None else "",
        nodes=tuple(_node(node) for node in root.iterfind("nodes/node")),
        resources=tuple(
            resource.get("id", "")
            for resource in root.iter("resource")
            if resource.get("active") == "true"
        ),
        fenced=tuple(_fenced(event) for event in root.iterfind("fence_history/fence_event")),
    )


def _node(node: ElementTree.Element) -> NodeState:
    return NodeState(
        name=node.get("name", ""),
        online=node.get("online") == "true",
        unclean=node.get("unclean") == "true",
        standby=node.get("standby") == "true",
        pending=node.get("pending") == "true",
    )


def _fenced(event: ElementTree.Element) -> Fenced:
    return Fenced(
        target=event.get("target", ""),
        action=event.get("action", ""),
        status=event.get("status", ""),
        completed=event.get("completed", ""),
    )
