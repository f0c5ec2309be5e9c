"""What is answered to a node that wants to join: decided here, from data alone."""

from __future__ import annotations

from agent.cluster.authority import pem_digest
from agent.cluster.enrolment.messages import Answer, Enrol
from agent.cluster.records import OPEN_SECONDS, Enrolment, Records
from agent.cluster.token import accepts
from agent.cluster.view import View

REFUSED = Answer(status=403, error="the token is refused")
NO_QUORUM = Answer(status=503, error="the cluster has no quorum", quorate=False)


def may_sign(view: View, records: Records) -> Answer | None:
    """None when this member may enrol nodes, else where to go or that it must wait."""
    if not view.quorate:
        return NO_QUORUM
    signers = records.signers()
    if view.own in signers:
        return None
    online = [name for name in signers if name in view.online and name in view.members]
    if not online:
        missing = ", ".join(signers) or "none"
        return Answer(status=503, error=f"no member that signs certificates is online: {missing}")
    return Answer(status=421, error="another member signs", leader=view.endpoint(online[0]))


def may_add(view: View) -> Answer | None:
    """None when this member may add nodes, else where to go or that it must wait."""
    if not view.quorate:
        return NO_QUORUM
    if view.leading and view.device and not view.device_votes:
        # Until the new node runs, it only raises the number of votes that quorum needs.
        error = f"the quorum device {view.device} gives no vote now"
        return Answer(status=503, error=error)
    if view.leading:
        return None
    if view.leader is None or view.leader not in view.members:
        return Answer(status=503, error="the cluster is choosing its controller")
    return Answer(
        status=421, error="another member is the controller", leader=view.endpoint(view.leader)
    )


def enrol(view: View, records: Records, request: Enrol, now: float) -> Answer | Enrolment:
    """The enrolment to record for this request, or why not.

    Unknown, wrong, expired, revoked tokens and other names all get the same answer.
    """
    record = records.tokens().get(request.id)
    if not accepts(record, request.secret, request.node, now) or record is None:
        return REFUSED
    if request.node in view.members and (request.node in view.online or not record.replace):
        return Answer(status=409, error=f"{request.node} is a member already")
    taken = {address for n, a in view.members.items() if n != request.node for address in a}
    if used := sorted(taken & set(request.addresses)):
        return Answer(status=409, error=f"a member has the address {used[0]}")
    links = {len(addresses) for n, addresses in view.members.items() if n != request.node}
    if links and len(request.addresses) not in links:
        return Answer(
            status=409,
            error=f"the cluster has {max(links)} links, the node has {len(request.addresses)}",
        )
    digest = pem_digest(request.key)
    return Enrolment(request.node, digest, int(now) + OPEN_SECONDS, record.replace)


def ready(view: View, records: Records, token_id: str, node: str, digest: str) -> Answer | bool:
    """False when the node is a member already, True when it must be added, or why not."""
    if node in view.members and node in view.online:
        return False
    enrolment = records.enrolment(token_id)
    if enrolment is None or (enrolment.node, enrolment.key_digest) != (node, digest):
        return Answer(status=403, error="no enrolment is open for this certificate")
    if missing := view.offline(but=node):
        return Answer(status=503, error=f"members are offline: {', '.join(missing)}")
    return True
