"""The node's key and certificate in the cluster."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from agent.cluster import authority
from agent.cluster.authority import Authority
from agent.cluster.folder import Folder


def own_key(folder: Folder) -> ec.EllipticCurvePrivateKey:
    """The node's key; made when there is none. Raises SlipwayError for a damaged one."""
    text = folder.read(folder.key)
    if text is None:
        text = authority.key_pem(authority.new_key())
        folder.write(folder.key, text)
    return authority.load_key(text)


def own_certificate(folder: Folder) -> x509.Certificate | None:
    """The node's certificate, when it has one. Raises SlipwayError for a damaged one."""
    text = folder.read(folder.certificate)
    return None if text is None else authority.load_certificate(text)


def certify_self(
    folder: Folder, own: Authority, name: str, addresses: Sequence[str]
) -> x509.Certificate:
    """The first member gives itself a certificate, once."""
    certificate = own_certificate(folder)
    if certificate is None:
        now = datetime.datetime.now(datetime.UTC)
        certificate = own.sign(own_key(folder).public_key(), name, addresses, now)
        folder.write(folder.certificate, authority.pem(certificate), secret=False)
    return certificate
