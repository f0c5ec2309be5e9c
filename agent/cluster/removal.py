"""What follows when a node leaves the cluster: nothing that it knew opens anything any more.

The corosync key is renewed at once. Its certificates are put on the revocation list, which a
member that signs publishes and every member takes up; each member gives its pcsd a new token.
Members do their part by themselves (agent.cluster.refresh), those that are off when they return.
"""

from __future__ import annotations

import time

from agent.cluster import pcs
from agent.cluster.records import Records, Texts


def disown(node: str, shared: Texts) -> None:
    """Revoke what a node has, before it is removed: certificates, open enrolments, tokens.

    Its tokens are those that name it. Safe to repeat. Raises CommandFailed.
    """
    known = Records(shared.texts())
    now = int(time.time())
    for certificate in known.certificates():
        if certificate.node == node:
            shared.create(f"revoked-{certificate.serial:x}", f"{now}:{certificate.ends}")
            shared.delete(f"issued-{certificate.serial:x}")
    for token_id, enrolment in known.enrolments().items():
        if enrolment.node == node:
            shared.delete(f"token-{token_id}")
            shared.delete(f"used-{token_id}")
    for record in known.tokens().values():
        if record.node == node:
            shared.delete(f"token-{record.id}")
    shared.delete(f"signer-{node}")
    shared.delete(f"copies-{node}")
    shared.delete(f"ssh-{node}")


def renew_keys(shared: Texts) -> None:
    """Renew what all members shared with a node, after it was removed.

    The cluster keeps running. Raises CommandFailed.
    """
    pcs.renew_corosync_key()
    shared.replace("rotation", str(Records(shared.texts()).rotation() + 1))
