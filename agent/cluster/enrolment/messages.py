"""What is said between a joining node and the endpoint, and between the endpoint's helpers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent.cluster.names import MAXIMUM_ADDRESSES, NODE_NAME, check_addresses
from agent.cluster.token import ID
from agent.core.errors import SlipwayError

# A request is below 2 KiB; an answer with a sealed key below 16 KiB.
MAXIMUM_BYTES = 16384

TokenId = Annotated[str, Field(pattern=f"^{ID}$")]
Secret = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", repr=False)]
NodeName = Annotated[str, Field(pattern=f"^{NODE_NAME.pattern}$", max_length=63)]
PcsdToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{64}$", repr=False)]
Pem = Annotated[str, Field(max_length=8192, pattern=r"^-----BEGIN [A-Z ]+-----\n")]


class Message(BaseModel):
    """An immutable record; unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Addresses(Message):
    """The addresses of a node, one per link of the cluster."""

    addresses: list[str] = Field(min_length=1, max_length=MAXIMUM_ADDRESSES)

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: list[str]) -> list[str]:
        try:
            return list(check_addresses(value))
        except SlipwayError as error:
            raise ValueError(error.message) from error


class EnrolRequest(Addresses):
    """POST /v1/enrol: a token's secret for a certificate. request: a PKCS #10 request, PEM."""

    id: TokenId
    secret: Secret
    node: NodeName
    request: Pem


class ReadyRequest(Message):
    """POST /v1/ready, with the node's certificate: it may be added. pcsd_token: what members
    will show to its pcsd."""

    id: TokenId
    pcsd_token: PcsdToken


class RenewRequest(Message):
    """POST /v1/renew, with the node's certificate: a new one for the same key and names."""


class Enrol(Addresses):
    """From the endpoint to `member`. key: SubjectPublicKeyInfo of the node, PEM."""

    command: Literal["enrol"] = "enrol"
    id: TokenId
    secret: Secret
    node: NodeName
    key: Pem


class Ready(Message):
    """From the endpoint to `member`. certificate: the one TLS has verified, PEM."""

    command: Literal["ready"] = "ready"
    id: TokenId
    pcsd_token: PcsdToken
    certificate: Pem


class Renew(Message):
    """From the endpoint to `member`. certificate: the one TLS has verified, PEM."""

    command: Literal["renew"] = "renew"
    certificate: Pem


class DeviceCertificate(Message):
    """From the endpoint to `member`: what pcs asks the quorum device's server for."""

    command: Literal["device"] = "device"
    which: Literal["authority", "cluster"]


class Sign(Addresses):
    """From `member` to the signer: a certificate for this node and key."""

    command: Literal["sign"] = "sign"
    node: NodeName
    key: Pem


class Revoke(Message):
    """From `member` to the signer: the list of these serial numbers and times."""

    command: Literal["revoke"] = "revoke"
    revoked: list[tuple[int, int]]


class Seal(Message):
    """From `member` to the signer: the authority's key, for this member's eyes only."""

    command: Literal["seal"] = "seal"
    certificate: Pem


class Answer(Message):
    """Any answer, with an HTTP status.

    error: what is wrong, for a person; leader: who can do it, as HOST:PORT, with status 421;
    certificate, revocations: PEM; authority: the authority's key sealed for the asking node;
    quorate: False where the cluster waits for more of its nodes.
    """

    status: int = 200
    error: str | None = None
    leader: str | None = None
    certificate: str | None = None
    revocations: str | None = None
    authority: str | None = None
    quorate: bool = True
