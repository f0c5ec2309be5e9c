"""pcs and pcsd: what of them Slipway uses, through the library's API on pcsd's local socket.

On that socket root is the superuser without any password. Requests and answers are those of
pcs 0.12 (/api/v2/task); what the API does not offer is done with the command.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import socket
import string
import tempfile
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.core.command import run
from agent.core.errors import SlipwayError

SOCKET = Path("/run/pcsd.socket")
PORT = 2224
TASK_SECONDS = 300
# For a question: workers of pcsd that have stopped go on after half a minute, see
# slipway-pcsd-workers.service.
QUESTION_SECONDS = 120
# For one command; an emulated machine takes minutes for what a real one does in a second.
COMMAND_SECONDS = 300
SETUP_SECONDS = 600
# For one request of pcs to the pcsd of a node; 60 s by default, which an emulated machine needs to
# take away what an earlier cluster may have left.
REQUEST_SECONDS = 240
# pcsd's Ruby half spoils tokens with the characters + / = ; all others are their own Base64.
TOKEN_CHARACTERS = 64
# The token time grows by this with every node beyond two (milliseconds); corosync's default of
# 650 makes 32 nodes wait 50 s before a death is noticed. See corosync.conf(5), token_coefficient.
TOKEN_COEFFICIENT = 125


class PcsFailed(SlipwayError):
    """pcs could not do what it was asked."""


class _LocalConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Configured:
    """members: names, with addresses by link; device: the quorum device's server, or empty."""

    members: dict[str, tuple[str, ...]]
    device: str


@dataclass(frozen=True)
class Pcsd:
    """The pcsd of this node."""

    path: Path = SOCKET

    def members(self) -> dict[str, tuple[str, ...]]:
        """Names of the nodes in corosync.conf, with their addresses by link. Raises PcsFailed."""
        return self.configured().members

    def configured(self) -> Configured:
        """What corosync.conf says. Raises PcsFailed."""
        command = "cluster.get_corosync_conf_struct"
        made = self._task(command, seconds=QUESTION_SECONDS)
        device = made.get("quorum_device") or {"model_options": {}}
        members = {
            node["name"]: tuple(
                item["addr"] for item in sorted(node["addrs"], key=lambda item: int(item["link"]))
            )
            for node in made["nodes"]
        }
        return Configured(members, device["model_options"].get("host", ""))

    def set_up(self, cluster: str, name: str, addresses: Sequence[str]) -> None:
        """Make a cluster of this one node and have it start. Raises PcsFailed.

        auto_tie_breaker and wait_for_all can only be set while the cluster is stopped, and at odd
        sizes the first needs the second: both are set from the start (votequorum(5)).
        """
        self._task(
            "cluster.setup",
            seconds=SETUP_SECONDS,
            request_seconds=REQUEST_SECONDS,
            cluster_name=cluster,
            nodes=[{"name": name, "addrs": list(addresses)}],
            totem_options={"token_coefficient": str(TOKEN_COEFFICIENT)},
            quorum_options={"auto_tie_breaker": "1", "wait_for_all": "1"},
            start=True,
            enable=True,
        )

    def add_node(self, name: str, addresses: Sequence[str]) -> None:
        """Add a node that pcsd knows already, and have it start the cluster. Raises PcsFailed.

        With fencing on, the node gets sbd's settings; it has looked at its watchdog itself, as the
        way in which pcs looks can reset a machine.
        """
        self._task(
            "cluster.add_nodes",
            seconds=SETUP_SECONDS,
            request_seconds=REQUEST_SECONDS,
            nodes=[{"name": name, "addrs": list(addresses)}],
            start=True,
            enable=True,
            no_watchdog_validation=True,
        )

    def remove_node(self, name: str) -> None:
        """Remove a node, also one that cannot be reached. Raises PcsFailed."""
        flags = ["SKIP_OFFLINE_NODES", "FORCE"]
        self._task("cluster.remove_nodes", node_list=[name], force_flags=flags)

    def know_host(self, name: str, address: str, token: str, port: int = PORT) -> None:
        """Tell all members what to show to the pcsd of a node. Raises PcsFailed."""
        host = {"dest_list": [{"addr": address, "port": port}], "token": token}
        self._known_hosts({name: host}, [])

    def forget_host(self, name: str) -> None:
        """Have all members forget a node. Raises PcsFailed."""
        self._known_hosts({}, [name])

    def _known_hosts(self, add: Mapping[str, object], remove: Sequence[str]) -> None:
        change = {"known_hosts_add": add, "known_hosts_remove": remove}
        body = urllib.parse.urlencode({"data_json": json.dumps(change)})
        kind = "application/x-www-form-urlencoded"
        self._post("/remote/known_hosts_change", body, kind)

    def _task(
        self,
        command: str,
        *,
        seconds: float = TASK_SECONDS,
        request_seconds: int | None = None,
        **params: object,
    ) -> Any:
        """seconds: until all is done; request_seconds: for each node, pcsd's own by default."""
        options = {"request_timeout": request_seconds}
        body = json.dumps({"command_name": command, "params": params, "options": options})
        answer = json.loads(self._post("/api/v2/task/run", body, "application/json", seconds))
        if answer.get("task_finish_type") != "SUCCESS":
            raise PcsFailed(_errors(answer) or "pcs gave no reason", where=command)
        return answer["result"]

    def _post(self, path: str, body: str, kind: str, seconds: float = TASK_SECONDS) -> str:
        connection = _LocalConnection(self.path, seconds)
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise PcsFailed(f"pcsd does not answer: {error}", where=str(self.path)) from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise PcsFailed(f"pcsd answered {response.status}: {text[:300]}", where=path)
        return text


def new_token() -> str:
    """A token for pcsd, about 380 bits."""
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(TOKEN_CHARACTERS))


def accept_token(token: str) -> None:
    """Let whoever shows this token use the local pcsd. Raises CommandFailed."""
    with _token_file(token) as file:
        run(["pcs", "pcsd", "accept_token", file.name], timeout=COMMAND_SECONDS)


def accept_only(token: str) -> None:
    """Let whoever shows this token use the local pcsd, and nobody with any other token.

    The tokens that end are not named: an argument would be seen by all users of the machine.
    """
    run(["pcs", "pcsd", "deauth"], timeout=COMMAND_SECONDS)
    accept_token(token)


def know_self(name: str, address: str, token: str) -> None:
    """Give the local pcs the token of the local pcsd, before there is a cluster."""
    with _token_file(token) as file:
        run(
            ["pcs", "host", "auth", name, f"addr={address}", "--token", file.name],
            timeout=COMMAND_SECONDS,
        )


def renew_corosync_key() -> None:
    """Give all members a new key for corosync's traffic, while it runs. Raises CommandFailed."""
    run(["pcs", "cluster", "authkey", "corosync"], timeout=TASK_SECONDS)


def destroy() -> None:
    """Stop the cluster's software on this node and remove its configuration; no other node is
    told."""
    run(["pcs", "cluster", "destroy"], timeout=TASK_SECONDS)


def _token_file(token: str) -> Any:
    file = tempfile.NamedTemporaryFile(dir="/run", prefix="slipway-")
    file.write(base64.b64decode(token))
    file.flush()
    return file


def _errors(answer: Mapping[str, Any]) -> str:
    return "; ".join(
        report["message"]["message"]
        for report in answer.get("reports", [])
        if report["severity"]["level"] == "ERROR"
    )
