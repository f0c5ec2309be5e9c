"""What every member does by itself, at intervals and whenever the cluster's configuration changes.

It takes up the list of revoked certificates, renews its certificate in time, and after a member
was removed gives its pcsd a new token, as the removed one knew the old. Each part is needed or
not, whatever happened before; so it may be interrupted and repeated.
"""

from __future__ import annotations

import datetime
import logging
import time
from dataclasses import dataclass

from cryptography import x509

from agent.cluster import authority, identity, libvirt, pcs, records, tunnel, units
from agent.cluster.authority import Authority, Revoked
from agent.cluster.client import Members
from agent.cluster.enrolment.messages import RenewRequest
from agent.cluster.folder import Folder
from agent.cluster.join import keep_authority
from agent.cluster.lock import add_lock
from agent.cluster.names import endpoint
from agent.cluster.pcs import Pcsd
from agent.cluster.records import Records, Texts
from agent.core.errors import SlipwayError
from agent.step import Retry
from agent.systemd import Systemd

# The removal of a member changes the records several times.
LOOKS = 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Needed:
    """What there is to do. publish: this member signs and the list in the CIB is not right;
    take_up: the list in the CIB is not the one that is used here; certificate: a new one is due;
    rotation: the number of a rotation this member has not taken part in, or None; announce: this
    member has the authority's key and the others do not know.
    """

    publish: bool
    take_up: bool
    certificate: bool
    rotation: int | None
    announce: bool


NOTHING = Needed(publish=False, take_up=False, certificate=False, rotation=None, announce=False)


def needed(
    known: Records, folder: Folder, certificate: x509.Certificate, now: datetime.datetime
) -> Needed:
    """Compare the cluster's records with what this member has. Changes nothing."""
    published = authority.revoked_serials(known.revocation_list())
    wanted = {revocation.serial for revocation in known.revocations()}
    signs = folder.authority_secret.exists()
    done = int(folder.read(folder.rotation) or "0")
    return Needed(
        publish=signs and published != wanted,
        take_up=(folder.read(folder.revoked) or "") != known.revocation_list(),
        certificate=authority.renewal_due(certificate, now),
        rotation=known.rotation() if known.rotation() > done else None,
        announce=signs and authority.node_name(certificate) not in known.signers(),
    )


def refresh(folder: Folder, shared: Texts, pcsd: Pcsd, systemd: Systemd) -> None:
    """Do what is needed, until nothing is: systemd does not start the service again for what
    changes while it runs. Raises SlipwayError; Retry when it may pass.
    """
    for _ in range(LOOKS):
        records.purge(shared, time.time())
        certificate = identity.own_certificate(folder)
        if certificate is None:
            raise SlipwayError("the node has no certificate", where=str(folder.certificate))
        now = datetime.datetime.now(datetime.UTC)
        todo = needed(Records(shared.texts()), folder, certificate, now)
        if todo == NOTHING:
            return
        _do(todo, certificate, folder, shared, pcsd, systemd)
    raise Retry("the cluster's records change all the time")


def _do(
    todo: Needed,
    certificate: x509.Certificate,
    folder: Folder,
    shared: Texts,
    pcsd: Pcsd,
    systemd: Systemd,
) -> None:
    """What is needed, what others wait for first."""
    node = authority.node_name(certificate)
    if todo.announce:
        shared.replace(f"signer-{node}", "yes")
    if todo.publish:
        publish(folder, shared)
    if (todo.publish or todo.take_up) and take_up(folder, shared):
        _use(certificate, folder, systemd)
    if todo.certificate:
        log.info("renewing the certificate")
        _use(renew(folder, pcsd, certificate), folder, systemd)
    if todo.rotation is not None:
        with add_lock(shared, node):
            rotate(folder, pcsd, certificate, todo.rotation)


def _use(certificate: x509.Certificate, folder: Folder, systemd: Systemd) -> None:
    """Start anew what has read the certificate and the list of revoked ones at its start."""
    tunnel.configure(authority.node_addresses(certificate), folder)
    libvirt.configure(folder)
    for unit in (tunnel.UNIT, units.ENDPOINT):
        systemd.restart(unit)
    systemd.prove((tunnel.UNIT, units.ENDPOINT))
    libvirt.take_up(systemd)


def publish(folder: Folder, shared: Texts) -> None:
    """Sign the list of revoked certificates for all members. Only where the key is."""
    own = Authority.load(folder.authority_secret.read_text())
    revoked = [
        Revoked(entry.serial, datetime.datetime.fromtimestamp(entry.since, datetime.UTC))
        for entry in Records(shared.texts()).revocations()
    ]
    text = own.revocation_list(revoked, datetime.datetime.now(datetime.UTC))
    shared.replace("revocations", records.one_line(text))
    log.info("the list of revoked certificates has %d now", len(revoked))


def take_up(folder: Folder, shared: Texts) -> bool:
    """Use the cluster's list of revoked certificates; says whether it is another one."""
    text = Records(shared.texts()).revocation_list()
    if (folder.read(folder.revoked) or "") == text:
        return False
    folder.write(folder.revoked, text, secret=False)
    return True


def renew(folder: Folder, pcsd: Pcsd, certificate: x509.Certificate) -> x509.Certificate:
    """Get a new certificate for the same key from a member that signs. Raises Retry."""
    issuer = authority.load_certificate(folder.authority.read_text())
    addresses = [endpoint(links[0]) for links in pcsd.members().values()]
    members = Members(addresses, authority.fingerprint(issuer), folder)
    answer = members.ask("/v1/renew", RenewRequest(), identified=True)
    if not answer.certificate:
        raise SlipwayError("a member gave no certificate")
    made = authority.load_certificate(answer.certificate)
    if made.public_key() != certificate.public_key():
        raise SlipwayError("a member gave a certificate for another key")
    folder.write(folder.certificate, answer.certificate, secret=False)
    if answer.authority:
        keep_authority(folder, answer.authority)
    return made


def rotate(folder: Folder, pcsd: Pcsd, certificate: x509.Certificate, number: int) -> None:
    """Give this node's pcsd a new token, tell the others, and refuse all earlier ones."""
    node = authority.node_name(certificate)
    address = authority.node_addresses(certificate)[0]
    new = pcs.new_token()
    pcs.accept_token(new)
    pcsd.know_host(node, address, new)
    folder.write(folder.pcsd_token, new)
    pcs.accept_only(new)
    folder.write(folder.rotation, str(number))
    log.info("pcsd has a new token")
