"""The signer: the one program that uses the authority's key. No root, no network."""

from __future__ import annotations

import datetime
from typing import Annotated

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Field, TypeAdapter

from agent.cluster import authority
from agent.cluster.authority import Authority, Revoked
from agent.cluster.enrolment.messages import Answer, Revoke, Seal, Sign
from agent.cluster.seal import seal
from agent.core.errors import SlipwayError

COMMAND: TypeAdapter[Sign | Revoke | Seal] = TypeAdapter(
    Annotated[Sign | Revoke | Seal, Field(discriminator="command")]
)


def answer(line: bytes, own: Authority, now: datetime.datetime) -> Answer:
    """Do one command. Raises SlipwayError."""
    command = COMMAND.validate_json(line)
    match command:
        case Sign():
            made = own.sign(_key(command.key), command.node, command.addresses, now)
            return Answer(certificate=authority.pem(made))
        case Revoke():
            revoked = [Revoked(serial, _time(since)) for serial, since in command.revoked]
            return Answer(revocations=own.revocation_list(revoked, now))
        case Seal():
            certificate = authority.load_certificate(command.certificate)
            authority.check_issued(certificate, own.certificate)
            return Answer(authority=seal(own.text(), command.certificate))


def _key(pem: str) -> ec.EllipticCurvePublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise SlipwayError("the key of the node is not of the kind P-256")


def _time(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
