"""Planning membership: [cluster] and the planned network, to the node's configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface

from pydantic import SecretStr

from agent import config
from agent.cluster.links import Addresses, addresses_at, network_of
from agent.core.errors import SlipwayError
from installer.answers.cluster import Cluster
from installer.plan.model import WriteSecret
from installer.plan.network_plan import NetworkPlan

# The names that Corosync's and Pacemaker's members may have, as enrolment checks them.
NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
TOKEN, KIT = "cluster token", "cluster kit"


class ClusterError(SlipwayError):
    """What [cluster] asks for does not fit this node."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, where="[cluster]", hint=hint)


def plan_cluster(cluster: Cluster, network: NetworkPlan) -> config.Cluster:
    """The node's [cluster] table, without its secrets.

    Raises ClusterError for a name that no member can have, and for a link that this node's network
    does not have.
    """
    if cluster.mode == "none":
        return config.Cluster()
    name = network.fqdn.partition(".")[0]
    if not NODE_NAME.fullmatch(name):
        raise ClusterError(
            f"{name} cannot be the name of a member",
            hint="use lower-case letters, digits and hyphens in global.fqdn",
        )
    _check_links(cluster.links, network)
    return config.Cluster(
        mode=cluster.mode, name=cluster.name or "", links=cluster.links, ha=cluster.ha
    )


def cluster_warnings(cluster: Cluster, network: NetworkPlan) -> Iterator[str]:
    """What a person should know about the node's place in its cluster."""
    if cluster.mode == "none":
        return
    used = {network.management_interface} if not cluster.links else set(cluster.links)
    for interface in sorted(used & _dynamic(network)):
        yield (
            f"{interface} has its address from DHCP, and a member's address must not change: "
            "reserve it in the DHCP server"
        )
    if len(cluster.links) < 2:
        yield "the cluster has one link: a second one keeps the members together when it fails"


def cluster_secrets(cluster: Cluster) -> Mapping[str, SecretStr]:
    """The texts of the secret files, by the names that WriteSecret actions use."""
    secrets = {}
    if cluster.token:
        secrets[TOKEN] = cluster.token
    if cluster.authority:
        kit = {"authority": cluster.authority.get_secret_value(), "tokens": cluster.tokens}
        secrets[KIT] = SecretStr(json.dumps(kit))
    return secrets


def secret_files(cluster: Cluster) -> Iterator[WriteSecret]:
    """The actions that put the secrets where the agent finds them."""
    paths = {TOKEN: config.JOIN_TOKEN, KIT: config.CLUSTER_KIT}
    for name in cluster_secrets(cluster):
        yield WriteSecret(path=str(paths[name]), secret=name)


def _static_addresses(network: NetworkPlan) -> Addresses:
    return {
        profile.id: tuple(
            ip_interface(text)
            for version in (profile.ipv4, profile.ipv6)
            if version
            for text in version.addresses
        )
        for profile in network.profiles
    }


def _dynamic(network: NetworkPlan) -> set[str]:
    """The links that get an address from DHCP or advertisements, and have none of their own."""
    static = _static_addresses(network)
    return {
        profile.id
        for profile in network.profiles
        if not static[profile.id]
        and any(x and x.method == "auto" for x in (profile.ipv4, profile.ipv6))
    }


def _check_links(places: tuple[str, ...], network: NetworkPlan) -> None:
    """Raises ClusterError unless each place is one of the node's, or may be one by DHCP."""
    static = _static_addresses(network)
    known = [str(interface) for link in static.values() for interface in link]
    for place in places:
        if network_of(place) is None and place not in static:
            raise ClusterError(
                f"the node has no link {place}", hint=f"it has {', '.join(sorted(static))}"
            )
        found = addresses_at(place, static)
        if network_of(place) and len(found) > 1:
            raise ClusterError(
                f"the node has several addresses in {place}", hint=f"say which: {', '.join(found)}"
            )
        leased = _dynamic(network) & ({place} if place in static else set(static))
        if not found and not leased:
            raise ClusterError(
                f"the node has no address that fits the link {place}",
                hint=f"it has {', '.join(known) or 'none of its own'}",
            )
