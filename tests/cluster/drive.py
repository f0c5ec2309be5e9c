"""Runs on a node of the laboratory: creates a cluster as the agent's step does.

Arguments: the cluster's name, the node's name, its addresses. The kit, if there is one, comes on
standard input as the [cluster] table.
"""

import sys
import tomllib

sys.path.insert(0, "/usr/lib/slipway")

from agent.cluster.create import NewCluster, create  # noqa: E402
from agent.cluster.token import Record  # noqa: E402
from agent.systemd import Systemd  # noqa: E402

cluster, node, *links = sys.argv[1:]
kit = tomllib.loads(sys.stdin.read()).get("cluster", {})
new = NewCluster(
    cluster=cluster,
    node=node,
    links=tuple(links),
    authority=kit.get("authority"),
    tokens=tuple(map(Record.parse, kit.get("tokens", ()))),
)
create(new, Systemd(), say=lambda text: print(text, flush=True))
