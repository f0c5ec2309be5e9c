"""The way from an installed disk to a working node, one module per step."""

from __future__ import annotations

from agent import clock
from agent.config import NodeConfig
from agent.stack import Stack
from agent.step import Step
from agent.steps.cluster import Cluster
from agent.steps.first_boot import FirstBoot
from agent.steps.network import Network
from agent.steps.secrets import Secrets
from agent.steps.services import Services
from agent.steps.storage import Storage
from agent.steps.storages import Storages
from agent.steps.templates import Templates
from agent.steps.time import Time
from agent.systemd import Systemd
from agent.templates.store import Store

# A node on its own works with a wrong clock; it only waits a moment for a right one. Members
# compare their clocks when one joins, so that a rack without a time server forms a cluster too.
CLOCK_SECONDS = 5.0
CLUSTER_CLOCK_SECONDS = 30.0


def all_steps(config: NodeConfig, stack: Stack) -> tuple[Step, ...]:
    """Every step in its order. A step runs once those it needs are done; the others do not
    keep it, so a node that waits for something still has its services."""
    systemd = Systemd()
    clock_seconds = CLOCK_SECONDS if config.cluster.mode == "none" else CLUSTER_CLOCK_SECONDS
    work = (
        Network(config.management_interface),
        Time(systemd, clock.synchronized, required=False, wait_seconds=clock_seconds),
        Storage(config.storage, config.data_pools, systemd),
        Storages(systemd),
        Cluster(config, systemd),
        Services(stack, systemd),
        Templates(config.templates, systemd, Store()),
    )
    names = tuple(step.name for step in work)
    last = (FirstBoot(config.first_boot, systemd, names),) if config.first_boot else ()
    return (*work, *last, Secrets(needs=names))
