"""The first member: it creates the cluster."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.cluster import authority, identity, local, members, pcs, transport, units
from agent.cluster.authority import Authority
from agent.cluster.cib import Cib
from agent.cluster.enrolment.member import record_issued
from agent.cluster.folder import Folder
from agent.cluster.names import check_addresses, check_node_name
from agent.cluster.token import Record
from agent.systemd import Systemd


@dataclass(frozen=True)
class NewCluster:
    """What is to be created.

    cluster: its name; node: this node's name; links: its address on each link; authority:
    certificate and key from a kit, PEM, or None for a new one; tokens: what a kit says of the
    other nodes' tokens.
    """

    cluster: str
    node: str
    links: tuple[str, ...]
    authority: str | None = field(default=None, repr=False)
    tokens: tuple[Record, ...] = ()


def create(
    new: NewCluster,
    systemd: Systemd,
    folder: Folder = Folder(),
    say: Callable[[str], None] = lambda text: None,
    alone: Callable[[], None] = lambda: None,
) -> None:
    """Create the cluster, or go on where an earlier call was interrupted.

    say: told each thing before it is done; alone: called while the cluster runs and nobody else
    can join yet, again after an interruption. Raises SlipwayError; Retry when it may pass.
    """
    check_node_name(new.node)
    links = check_addresses(new.links)
    say("making certificates")
    own = _authority(new, folder)
    certificate = identity.certify_self(folder, own, new.node, links)
    say("starting pcsd behind mutual TLS")
    token = transport.open_transport(folder, links, systemd)
    if not local.configured():
        say(f"creating the cluster {new.cluster}")
        pcs.know_self(new.node, links[0], token)
        pcs.Pcsd().set_up(new.cluster, new.node, links)
    say("waiting until this node takes part in the cluster")
    local.start_configured(new.node, systemd)
    if not folder.member.exists():
        alone()
        _record(new, Cib())
        record_issued(Cib(), certificate)
        folder.write(folder.member, new.node, secret=False)
    say("starting the enrolment of others")
    members.refresh(systemd)
    units.start(systemd, units.SERVICES)


def _authority(new: NewCluster, folder: Folder) -> Authority:
    text = folder.read(folder.authority_secret)
    if text is None:
        now = datetime.datetime.now(datetime.UTC)
        text = new.authority or Authority.create(new.cluster, now).text()
        Authority.load(text)
        folder.write(folder.authority_secret, text)
    own = Authority.load(text)
    folder.write(folder.authority, authority.pem(own.certificate), secret=False)
    return own


def _record(new: NewCluster, cib: Cib) -> None:
    for record in new.tokens:
        cib.create(f"token-{record.id}", str(record))
    cib.replace(f"signer-{new.node}", "yes")
