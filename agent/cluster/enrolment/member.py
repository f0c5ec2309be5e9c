"""The privileged part: verifies tokens against the cluster's records, and adds nodes through pcs.

It runs as root, once for each command, and only the endpoint can reach it. What is answered is
decided in agent.cluster.enrolment.decide.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import Field, TypeAdapter

from agent.cluster import authority, qdevice_certificates, records
from agent.cluster.enrolment import call, decide
from agent.cluster.enrolment.messages import (
    Answer,
    DeviceCertificate,
    Enrol,
    Ready,
    Renew,
    Seal,
    Sign,
)
from agent.cluster.folder import Folder
from agent.cluster.lock import add_lock
from agent.cluster.pcs import Pcsd, PcsFailed
from agent.cluster.records import Records, Texts
from agent.cluster.view import View
from agent.core.errors import SlipwayError
from agent.step import Retry

Command = Enrol | Ready | Renew | DeviceCertificate
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
LOCK = Path("/run/slipway/add.lock")
# So many members keep the authority's key. With fewer, one more gets it when it joins or renews.
SIGNERS = 3
ONLINE_SECONDS = 60.0
POLL_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """What the commands work with. look: the cluster as it is now."""

    folder: Folder
    pcsd: Pcsd
    shared: Texts
    look: Callable[[], View]
    lock: Path = LOCK
    signer: Path = call.SIGNER

    def answer(self, line: bytes) -> Answer:
        """Do one command. Raises SlipwayError."""
        command = COMMAND.validate_json(line)
        match command:
            case Enrol():
                return self._enrol(command)
            case Ready():
                return self._ready(command)
            case Renew():
                return self._renew(command)
            case DeviceCertificate():
                return self._device_certificate(command)

    def _enrol(self, request: Enrol) -> Answer:
        view = self.look()
        known = Records(self.shared.texts())
        if elsewhere := decide.may_sign(view, known):
            return elsewhere
        decision = decide.enrol(view, known, request, time.time())
        if isinstance(decision, Answer):
            log.warning("%s: %s", request.node, decision.error)
            return decision
        if not records.consume(self.shared, request.id, decision):
            log.warning("%s: its token was used by another machine", request.node)
            return decide.REFUSED
        return self._sign(request.node, request.addresses, request.key)

    def _ready(self, request: Ready) -> Answer:
        certificate = self._own(request.certificate)
        node = authority.node_name(certificate)
        digest = authority.key_digest(_public_key(certificate))
        if elsewhere := decide.may_add(self.look()):
            return elsewhere
        with self._alone():
            view = self.look()
            known = Records(self.shared.texts())
            decision = decide.may_add(view) or decide.ready(view, known, request.id, node, digest)
            if isinstance(decision, Answer):
                log.warning("%s: %s", node, decision.error)
                return decision
            if decision:
                try:
                    with add_lock(self.shared, view.own):
                        self._add(view, certificate, request.pcsd_token)
                except PcsFailed as error:
                    # Who has a certificate may know the reason.
                    raise Retry(f"pcs could not add {node}: {error.message}") from error
                log.info("%s is a member now", node)
            enrolment = known.enrolment(request.id)
            if enrolment and enrolment.node == node:
                records.finish(self.shared, request.id)
            records.purge(self.shared, time.time())
        return self._share_key(known, node, request.certificate)

    def _renew(self, request: Renew) -> Answer:
        certificate = self._own(request.certificate)
        node = authority.node_name(certificate)
        view = self.look()
        known = Records(self.shared.texts())
        if elsewhere := decide.may_sign(view, known):
            return elsewhere
        if node not in view.members:
            return Answer(status=403, error=f"{node} is not a member")
        key = authority.public_pem(_public_key(certificate))
        made = self._sign(node, list(authority.node_addresses(certificate)), key)
        shared = self._share_key(known, node, request.certificate)
        return made.model_copy(update={"authority": shared.authority})

    def _device_certificate(self, request: DeviceCertificate) -> Answer:
        certificate = qdevice_certificates.answer(request.which, self.folder)
        return Answer(certificate=certificate)

    def _sign(self, node: str, addresses: list[str], key: str) -> Answer:
        made = call.call(self.signer, Sign(node=node, addresses=addresses, key=key))
        if made.certificate:
            record_issued(self.shared, authority.load_certificate(made.certificate))
        return made

    def _add(self, view: View, certificate: x509.Certificate, pcsd_token: str) -> None:
        node = authority.node_name(certificate)
        addresses = authority.node_addresses(certificate)
        # First, as pcs can only remove a node whose token it knows or that does not answer.
        self.pcsd.know_host(node, addresses[0], pcsd_token)
        if node in view.members:
            # It was being added when its power went, or it was installed anew: a member that
            # does not take part gives way to itself.
            log.info("%s is removed first, to be added again", node)
            self.pcsd.remove_node(node)
            self.pcsd.know_host(node, addresses[0], pcsd_token)
        if view.device:
            qdevice_certificates.introduce(self.pcsd, view.device)
        self.pcsd.add_node(node, addresses)
        self._wait_online(node)

    def _wait_online(self, node: str) -> None:
        end = time.monotonic() + ONLINE_SECONDS
        while node not in self.look().online:
            if time.monotonic() >= end:
                raise Retry(f"{node} was added and does not take part yet")
            time.sleep(POLL_SECONDS)

    def _share_key(self, known: Records, node: str, certificate: str) -> Answer:
        if node in known.signers() or len(known.signers()) >= SIGNERS:
            return Answer()
        own = self.folder.authority_secret.exists()
        return call.call(self.signer, Seal(certificate=certificate)) if own else Answer()

    def _own(self, pem: str) -> x509.Certificate:
        """The certificate, when this cluster's authority has issued it. Raises SlipwayError."""
        certificate = authority.load_certificate(pem)
        issuer = authority.load_certificate(self.folder.authority.read_text())
        authority.check_issued(certificate, issuer)
        return certificate

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One add at a time on this member; others wait."""
        with open(self.lock, "w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def record_issued(shared: Texts, certificate: x509.Certificate) -> None:
    """Remember a certificate, so that it can be revoked."""
    ends = int(certificate.not_valid_after_utc.timestamp())
    node = authority.node_name(certificate)
    shared.replace(f"issued-{certificate.serial_number:x}", f"{node}:{ends}")


def guarded(answer: Callable[[bytes], Answer], line: bytes) -> Answer:
    """The answer; errors become answers too, without details that a stranger should not see."""
    try:
        return answer(line)
    except Retry as error:
        log.warning("%s", error.message)
        return Answer(status=503, error=error.message)
    except (SlipwayError, ValueError, OSError):
        log.exception("the command could not be done")
        return Answer(status=503, error="the member could not do it now; see its log")


def _public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SlipwayError("the certificate's key is not of the kind P-256")
    return key
