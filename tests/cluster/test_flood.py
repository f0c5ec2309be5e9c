"""A thousand wrong tokens at once, at the endpoint of a running cluster."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from agent.cluster import authority
from tests.cluster.conftest import quorum_kept
from tests.cluster.laboratory import Laboratory, online, record
from tests.cluster.node import Node

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

SCRIPT = Path(__file__).with_name("flood.py")
REQUESTS = 1000
# One host, and many of them: each source has its own limits, all together have others.
SOURCES = {"one source": 1, "fifty sources": 50}
# The service's own limit is 256 MiB; at rest it has 43 MiB.
PEAK_KIB = 128 * 1024


def peak_kib(member: Node) -> int:
    """The most memory that the endpoint's process ever had, in KiB."""
    show = ["systemctl", "show", "--property=MainPID", "--value", "slipway-enrolment.service"]
    pid = member.run(show).stdout.strip()
    lines = member.run(["cat", f"/proc/{pid}/status"]).stdout.splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def wrong_request() -> str:
    return json.dumps(
        {
            "id": "0" * 16,
            "secret": "s" * 43,
            "node": "node7",
            "addresses": ["10.99.0.7", "10.99.1.7"],
            "request": authority.request(authority.new_key(), "node7"),
        }
    )


def test_a_thousand_wrong_tokens_while_a_node_joins(lab: Laboratory) -> None:
    first = lab.create(1)
    lab.add(2, first)
    stranger = lab.machine(7)
    shutil.copy(SCRIPT, stranger.root / "root/flood.py")
    addresses = [f"10.99.0.{100 + number}" for number in range(max(SOURCES.values()))]
    for address in addresses:
        stranger.run(["ip", "address", "add", f"{address}/24", "dev", "eth0"])
    for number, (name, count) in enumerate(SOURCES.items(), start=3):
        joiner = lab.machine(number)
        token = lab.token(first, "--node", joiner.name)
        flood = ["python3", "-I", "/root/flood.py", first.addresses[0], str(REQUESTS)]
        with quorum_kept(first):
            begin = time.monotonic()
            joining = lab.start_join(joiner, token)
            said = stranger.run([*flood, *addresses[:count]], input=wrong_request(), timeout=600)
            flooded = time.monotonic() - begin
            status = joining.wait(timeout=600)
            joined = time.monotonic() - begin
        assert status == 0, (joiner.folder / "join.log").read_text()
        answers = json.loads(said.stdout)
        kib = peak_kib(first)
        record(test="flood", kind=name, peak_kib=kib, flooded=flooded, joined=joined, **answers)
        assert sum(answers["statuses"].values()) == REQUESTS
        assert answers["refusals"] == ['{"error":"the token is refused"}']
        # A burst of 20 for each source less what refusals cost, then one each second.
        assert answers["statuses"]["403"] <= count * (20 / 6 + 1) + flooded * count
        assert kib < PEAK_KIB
        assert joiner.name in online(first)
