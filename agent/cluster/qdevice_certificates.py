"""How members and the server of the quorum device (corosync-qnetd) know each other.

The server has an authority of its own, which signs one certificate for the whole cluster. pcs gets
both from pcsd on the server. pcs verifies nobody, so it is not let there: the administrator brings
the certificates, and what pcs asks the server for, each member answers itself, on its loopback
address (agent.cluster.enrolment.application). pcs gives them to all members, and to new ones.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agent.cluster import authority, pcs
from agent.cluster.folder import Folder
from agent.cluster.names import ENROLMENT_PORT
from agent.cluster.pcs import Pcsd
from agent.core.command import run
from agent.core.errors import SlipwayError

# Of corosync-qdevice-net-certutil, which pcs uses.
DATABASE = Path("/etc/corosync/qdevice/net/nssdb")
Which = Literal["authority", "cluster"]
NICKNAMES: dict[Which, str] = {"authority": "QNet CA", "cluster": "Cluster Cert"}
LOOPBACK = "127.0.0.1"
SECONDS = 60
HINT = "the server makes it with the commands in docs/cluster.md, Quorum device"


@dataclass(frozen=True)
class Credentials:
    """PEM: the certificate of the server's authority, the cluster's certificate and its key."""

    authority: str
    certificate: str
    key: str = field(repr=False)

    def text(self) -> str:
        """All of it as one text. Secret."""
        return self.authority + self.certificate + self.key


def parse(text: str) -> Credentials:
    """From two certificates and a key in PEM, in any order.

    Raises SlipwayError that says what does not fit, without any of the key.
    """
    try:
        found = x509.load_pem_x509_certificates(text.encode())
        begin = text.index("-----BEGIN PRIVATE KEY-----")
        key = load_pem_private_key(text[begin:].encode(), password=None)
    except ValueError:
        raise SlipwayError(
            "two certificates and a private key in PEM are needed", hint=HINT
        ) from None
    issuers = [one for one in found if one.subject == one.issuer]
    others = [one for one in found if one.subject != one.issuer]
    if len(issuers) != 1 or len(others) != 1:
        raise SlipwayError("the server's authority or the cluster's certificate is missing")
    (issuer,), (own,) = issuers, others
    try:
        own.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        raise SlipwayError("the certificate is not of the server's authority", hint=HINT) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise SlipwayError("the key is not that of the certificate", hint=HINT)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Credentials(authority.pem(issuer), authority.pem(own), private.decode())


def check_cluster(given: Credentials, cluster: str) -> None:
    """Raises SlipwayError unless the certificate is for the cluster of this name."""
    name = authority.node_name(x509.load_pem_x509_certificate(given.certificate.encode()))
    if name != cluster:
        raise SlipwayError(
            f"the certificate is for {name}, and the cluster is {cluster}", hint=HINT
        )


def introduce(pcsd: Pcsd, host: str) -> None:
    """Have pcs ask the member that it runs on for what it would ask the server's pcsd for.

    Needed by the member that adds the device, or a node. Raises PcsFailed.
    """
    # What is answered there is for everybody; pcs sends a token all the same.
    pcsd.know_host(host, LOOPBACK, pcs.new_token(), ENROLMENT_PORT)


def answer(which: Which, folder: Folder, database: Path = DATABASE) -> str:
    """The certificate that pcs asks the server for, PEM. Raises SlipwayError.

    While the device is being added they are in `folder`. pcs has then made the database anew, and
    takes the cluster's key from there: it is put in before its certificate is given. Afterwards
    every member has all of it in its database.
    """
    text = folder.read(folder.quorum_device)
    if text is None:
        argv = ["certutil", "-L", "-d", str(database), "-n", NICKNAMES[which], "-a"]
        return run(argv, timeout=SECONDS).stdout.replace("\r\n", "\n")
    given = parse(text)
    if which == "authority":
        return given.authority
    _store(given, database)
    return given.certificate


def _store(given: Credentials, database: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        pem, pkcs12 = Path(folder, "cluster.pem"), Path(folder, "cluster.p12")
        pem.touch(mode=0o600)
        pem.write_text(given.certificate + given.key)
        # The password is as empty as that of the database, and of what pcs sends to members.
        export = ["openssl", "pkcs12", "-export", "-name", NICKNAMES["cluster"]]
        run([*export, "-in", pem, "-out", pkcs12, "-passout", "pass:"], timeout=SECONDS)
        run(["pk12util", "-i", pkcs12, "-d", database, "-W", ""], timeout=SECONDS)
