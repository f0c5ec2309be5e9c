"""A cluster over IPv6 alone."""

from __future__ import annotations

import pytest

from tests.cluster.laboratory import Laboratory, configuration, online

pytestmark = [pytest.mark.lab, pytest.mark.matrix]


def test_a_cluster_over_ipv6(lab: Laboratory) -> None:
    first = lab.create(1)
    lab.add(2, first)
    third = lab.add(3, first)
    assert online(third) == {"node1", "node2", "node3"}
    assert "fd00:99:0::1" in configuration(third) or "fd00:99::1" in configuration(third)
    offline = [
        line for line in first.run(["pcs", "status", "pcsd"]).stdout.splitlines() if "Off" in line
    ]
    assert not offline
