"""Cluster: the node is a member, as its configuration says, and takes part at every start."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from agent.cluster import fencing, ha, local, members, sbd, status, units
from agent.cluster.create import NewCluster, create
from agent.cluster.folder import Folder
from agent.cluster.join import JoinRequest, join, joined, pending
from agent.cluster.links import own_addresses, resolve
from agent.cluster.token import Record, Token
from agent.cluster.wait import wait_until
from agent.config import CLUSTER_KIT, JOIN_TOKEN, NodeConfig
from agent.step import Retry, Step, WaitForOperator
from agent.systemd import Systemd

log = logging.getLogger(__name__)


class Cluster(Step):
    """Create a cluster or join one; nothing on a node that is to stay alone and does."""

    name = "cluster"
    needs = ("network", "time")

    def __init__(
        self,
        config: NodeConfig,
        systemd: Systemd,
        *,
        folder: Folder = Folder(),
        kit: Path = CLUSTER_KIT,
        token: Path = JOIN_TOKEN,
    ) -> None:
        """folder, kit, token: where the node keeps its membership, and what the installer left."""
        self.config = config
        self.systemd = systemd
        self.folder = folder
        self.kit = kit
        self.token = token

    def desired(self) -> object:
        return self.config.cluster.model_dump(mode="json") | {"node": self.config.name}

    @property
    def alone(self) -> bool:
        """The node belongs to no cluster and is not to. `slipway join` makes it a member later."""
        return (
            self.config.cluster.mode == "none"
            and joined(self.folder) is None
            and pending(self.folder) is None
        )

    def observe(self) -> tuple[str, ...]:
        if self.alone:
            return ()
        if joined(self.folder) is None:
            return ("the node is not a member of a cluster yet",)
        self._check_not_removed()
        return self.systemd.missing((*local.UNITS, *units.SERVICES))

    def act(self) -> None:
        if self.alone:
            return
        watchdog = fencing.prepare()
        log.info("cluster: the watchdog is %s", watchdog)
        if joined(self.folder) is None:
            self._become_member()
        members.refresh(self.systemd)
        self.systemd.bring_up((*local.UNITS, *units.SERVICES))

    def prove(self) -> str:
        if self.alone:
            return ""
        self._check_not_removed()
        name = self.config.name
        try:
            wait_until(lambda: local.takes_part(name), local.ONLINE_SECONDS, "the cluster")
        except Retry:
            state, _ = status.look(name)
            raise Retry(f"the node does not take part in the cluster: {state.why_off}") from None
        self.systemd.prove(units.SERVICES)
        members.refresh(self.systemd)
        state, _ = status.look(name)
        if sbd.read(self.systemd).enabled and not state.ha:
            raise Retry(f"HA is off: {state.why_off}")
        return "; ".join(state.advice)

    def _become_member(self) -> None:
        cluster = self.config.cluster
        waiting = pending(self.folder)
        if waiting is not None:
            join(waiting, self.systemd, self.folder, say)
            return
        places = cluster.links or (self.config.management_interface,)
        links = resolve(places, own_addresses())
        if cluster.mode == "join":
            request = JoinRequest(token=self._token(), node=self.config.name, links=links)
            join(request, self.systemd, self.folder, say)
            return
        authority, tokens = self._kit()
        new = NewCluster(cluster.name, self.config.name, links, authority, tokens)

        def fence() -> None:
            if cluster.ha:
                say("switching fencing on")
                ha.enable(self.config.name, expected=1 + len(tokens))

        create(new, self.systemd, self.folder, say, alone=fence)

    def _token(self) -> Token:
        try:
            return Token.decode(self.token.read_text())
        except FileNotFoundError as error:
            raise WaitForOperator(
                "the join token is gone", hint="make one on a member, then: slipway join TOKEN"
            ) from error

    def _kit(self) -> tuple[str | None, tuple[Record, ...]]:
        try:
            content = json.loads(self.kit.read_text())
        except FileNotFoundError:
            return None, ()
        return content["authority"], tuple(map(Record.parse, content["tokens"]))

    def _check_not_removed(self) -> None:
        if joined(self.folder) is not None and not local.configured():
            raise WaitForOperator(
                "this node was removed from its cluster",
                hint="make a token on a member, then: slipway join TOKEN",
            )


def say(text: str) -> None:
    """Tell the console what is being done."""
    log.info("cluster: %s", text)
