"""The cluster as this member sees it now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from agent.cluster.names import endpoint
from agent.cluster.pcs import Pcsd
from agent.core.command import run

SECONDS = 120


@dataclass(frozen=True)
class View:
    """own: this member's name; quorate: it may speak for the cluster; leader: the designated
    controller, when there is one; online: members that take part; members: names and addresses
    in corosync.conf, by link; device: the quorum device's server, empty without one;
    device_votes: it gives its vote.
    """

    own: str
    quorate: bool
    leader: str | None
    online: frozenset[str]
    members: Mapping[str, tuple[str, ...]]
    device: str = ""
    device_votes: bool = False

    @property
    def leading(self) -> bool:
        """This member is the designated controller."""
        return self.leader == self.own

    def offline(self, but: str) -> tuple[str, ...]:
        """Members that do not take part, one left out."""
        return tuple(sorted(set(self.members) - self.online - {but}))

    def endpoint(self, member: str) -> str:
        """Where a member's enrolment endpoint is, HOST:PORT."""
        return endpoint(self.members[member][0])


def has_quorum(seconds: int = SECONDS) -> bool:
    """Whether this node is in the part of the cluster that may act. Raises CommandTimeout,
    CommandFailed without the program.
    """
    return run(["corosync-quorumtool", "-s"], check=False, timeout=seconds).status == 0


def device_votes(seconds: int = SECONDS) -> bool:
    """Whether the quorum device gives its vote to this node's part. Raises as `has_quorum`."""
    said = run(["corosync-quorumtool", "-s"], check=False, timeout=seconds).stdout
    return read_device_votes(said)


def look(own: str, pcsd: Pcsd) -> View:
    """Look at the cluster. Raises SlipwayError when the cluster's software does not answer."""
    quorate = has_quorum()
    state = run(["crm_mon", "--output-as=xml", "--one-shot"], timeout=SECONDS).stdout
    made = pcsd.configured()
    votes = bool(made.device) and device_votes()
    return View(own, quorate, *read_state(state), made.members, made.device, votes)


def read_device_votes(text: str) -> bool:
    """The same, from what corosync-quorumtool prints: the device has the node id 0."""
    rows = (line.split() for line in text.splitlines())
    return any(row[0] == "0" and row[1] != "0" for row in rows if "Qdevice" in row[2:3])


def read_state(xml: str) -> tuple[str | None, frozenset[str]]:
    """The leader and the members online, from crm_mon's XML."""
    root = ElementTree.fromstring(xml)
    leader = root.find("summary/current_dc[@present='true']")
    nodes = root.iterfind("nodes/node[@online='true'][@pending='false']")
    name = None if leader is None else leader.get("name")
    return name, frozenset(node.get("name", "") for node in nodes)
