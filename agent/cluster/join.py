"""Joining a cluster with a token.

Every step leaves a file that survives a power cut and is not repeated, so joining goes on where
it was interrupted. Nothing is ever rolled back: once members may have counted the node, it goes
forward, or a member with quorum removes it.

| step | leaves |
|---|---|
| the token is kept | join.json |
| a key is made | node.key |
| a member is found and its authority checked | authority.crt |
| the token is exchanged | node.crt |
| pcsd runs behind mutual TLS | pcsd-token, the units enabled |
| a member adds the node | corosync.conf and keys, by pcs |
| the node takes part | member; join.json is gone |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.cluster import authority, identity, local, members, pcs, transport, units
from agent.cluster.cib import Cib
from agent.cluster.client import Members, NoQuorum
from agent.cluster.enrolment.messages import EnrolRequest, ReadyRequest
from agent.cluster.folder import Folder
from agent.cluster.names import check_addresses, check_node_name
from agent.cluster.seal import unseal
from agent.cluster.token import Token
from agent.core.errors import SlipwayError
from agent.step import WaitForOperator
from agent.systemd import Systemd


class JoinRequest(BaseModel):
    """What to join with. node: this node's name; links: its address on each link."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Token
    node: str
    links: tuple[str, ...]


def pending(folder: Folder = Folder()) -> JoinRequest | None:
    """What this node is joining with, when that was interrupted. Raises SlipwayError."""
    text = folder.read(folder.request)
    if text is None:
        return None
    try:
        return JoinRequest.model_validate_json(text)
    except ValidationError as error:
        raise SlipwayError(
            "what this node was joining with is damaged",
            where=str(folder.request),
            hint="remove the file and join with a new token",
        ) from error


def joined(folder: Folder = Folder()) -> str | None:
    """The name under which this node is a member of a cluster, or None."""
    return folder.read(folder.member)


def join(
    request: JoinRequest,
    systemd: Systemd,
    folder: Folder = Folder(),
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Join, or go on where an earlier call was interrupted; one try of each step.

    say: told each thing before it is done. Raises Retry when it may pass: call it again, with
    backoff; WaitForOperator when only a person can help; other SlipwayErrors.
    """
    with folder.alone():
        if not (joined(folder) and local.configured()):
            _Joining(request, systemd, folder, say).run()


@dataclass(frozen=True)
class _Joining:
    request: JoinRequest
    systemd: Systemd
    folder: Folder
    say: Callable[[str], None]

    def run(self) -> None:
        check_node_name(self.request.node)
        links = check_addresses(self.request.links)
        self._keep_request()
        if not self._enrolled():
            self.say("asking a member for a certificate")
            try:
                self._check_token()
                self._enrol(links)
            except WaitForOperator:
                # Nobody knows this node yet, and this token will never do.
                self.folder.request.unlink(missing_ok=True)
                raise
        self.say("starting pcsd behind mutual TLS")
        pcsd_token = transport.open_transport(self.folder, links, self.systemd)
        if local.members_know(self.systemd):
            self._go_on()
        if not (local.configured() and local.takes_part(self.request.node)):
            self.say("waiting for a member to add this node")
            try:
                self._be_added(pcsd_token)
            except NoQuorum:
                if not local.configured():
                    raise
                # They may have counted this node and wait for it.
                self._go_on()
        self.say("waiting until this node takes part in the cluster")
        local.start_configured(self.request.node, self.systemd)
        if self.folder.authority_secret.exists():
            Cib().replace(f"signer-{self.request.node}", "yes")
        members.refresh(self.systemd)
        units.start(self.systemd, units.SERVICES)
        self.folder.write(self.folder.member, self.request.node, secret=False)
        self.folder.request.unlink(missing_ok=True)

    @property
    def _members(self) -> Members:
        token = self.request.token
        return Members(token.members, token.fingerprint, self.folder)

    def _keep_request(self) -> None:
        """Keep what we join with; what came of another token does not count any more."""
        folder = self.folder
        if pending(folder) == self.request:
            return
        for path in (*folder.of_cluster(), folder.member):
            path.unlink(missing_ok=True)
        if local.configured():
            self.say("removing what is left of an earlier cluster")
            pcs.destroy()
        dump = self.request.model_dump_json(by_alias=True)
        folder.write(folder.request, dump)

    def _enrolled(self) -> bool:
        certificate = identity.own_certificate(self.folder)
        if certificate is None:
            return False
        key = identity.own_key(self.folder)
        return bool(certificate.public_key() == key.public_key())

    def _check_token(self) -> None:
        """Say early what members would only call refused."""
        token = self.request.token
        if token.node not in (None, self.request.node):
            raise WaitForOperator(
                f"the token is for {token.node}, and this is {self.request.node}",
                hint="make a token for this name on a member: slipway token create --node NAME",
            )
        if time.time() >= token.expires:
            raise WaitForOperator(
                f"the token has expired at {_utc(token.expires)}; here it is {_utc(time.time())}",
                hint="check the clock, or make a new token on a member: slipway token create",
            )

    def _enrol(self, links: tuple[str, ...]) -> None:
        token, node = self.request.token, self.request.node
        key = identity.own_key(self.folder)
        message = EnrolRequest(
            id=token.id,
            secret=token.secret,
            node=node,
            addresses=list(links),
            request=authority.request(key, node),
        )
        answer = self._members.ask("/v1/enrol", message)
        if not answer.certificate:
            raise SlipwayError("a member gave no certificate")
        authority.load_certificate(answer.certificate)
        self.folder.write(self.folder.certificate, answer.certificate, secret=False)

    def _go_on(self) -> None:
        """The members have counted this node, so it starts."""
        self.say("the cluster knows this node; starting it")
        try:
            local.start_configured(self.request.node, self.systemd, local.RESUME_SECONDS)
        except SlipwayError as error:
            self.say(f"it does not take part yet: {error.message}")

    def _be_added(self, pcsd_token: str) -> None:
        message = ReadyRequest(id=self.request.token.id, pcsd_token=pcsd_token)
        answer = self._members.ask("/v1/ready", message, identified=True)
        if answer.authority:
            keep_authority(self.folder, answer.authority)


def keep_authority(folder: Folder, sealed: str) -> None:
    """Keep the authority's key, which makes this a member that signs. Raises SlipwayError."""
    text = unseal(sealed, folder.certificate, folder.key)
    authority.Authority.load(text)
    folder.write(folder.authority_secret, text)


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
