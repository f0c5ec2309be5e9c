"""Brings definitions, copies and claims of this member in line. A timer and changes run it."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from pathlib import Path

from agent.cluster.cib import Cib
from agent.cluster.guests import csync2, look
from agent.cluster.guests.model import COPIES, WANTED, claim_names, copy_of, digest, guest, title
from agent.cluster.guests.plan import (
    Action,
    Copy,
    Forget,
    Say,
    Send,
    Start,
    Want,
    Withdraw,
    plan,
)
from agent.cluster.guests.start import REFUSED, say
from agent.cluster.records import Texts
from agent.core.command import run
from agent.core.files import write_atomically
from agent.step import Retry

START_SECONDS = 300
# A change of a definition takes two looks; others may ask meanwhile.
LOOKS = 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Executor:
    """Does planned actions. folder: of the copies; refused: see agent.cluster.guests.start."""

    own: str
    shared: Texts
    folder: Path = COPIES
    refused: Path = REFUSED

    def do(self, action: Action) -> None:
        """One action. Raises SlipwayError, OSError; Retry when another member was faster."""
        match action:
            case Say(guest=name, claim=claim):
                say(self.shared, name, claim)
            case Copy(guest=name, digest=announced):
                text = look.definitions().get(name, "")
                if digest(text) != announced:
                    raise Retry(f"{title(name)} has changed meanwhile")
                write_atomically(copy_of(name, self.folder), text, mode=0o600)
            case Send(guests=names, nodes=nodes):
                csync2.send(self.own, [copy_of(name, self.folder) for name in names], nodes)
            case Withdraw(guest=name):
                log.info("%s is gone", title(name))
                for text in claim_names(self.shared.texts(), name):
                    self.shared.delete(text)
            case Forget(guest=name):
                copy_of(name, self.folder).unlink(missing_ok=True)
            case Want(wanted=True):
                self.shared.replace(WANTED + self.own, "yes")
            case Want():
                self.shared.delete(WANTED + self.own)
            case Start(guest=name):
                self._start(name)

    def _start(self, name: str) -> None:
        kind, plain = guest(name)
        argv = ["virsh", "start", plain] if kind == "vm" else ["lxc-start", "--name", plain]
        log.info("starting %s", title(name))
        (self.refused / name).unlink(missing_ok=True)
        done = run(argv, check=False, timeout=START_SECONDS)
        if done.status != 0:
            log.error("%s did not start: %s", title(name), done.stderr.strip())


def sync() -> None:
    """Look, plan, act, until nothing is left to do and nothing has changed during the last look:
    systemd does not start the service again for what changes while it runs.
    Raises SlipwayError, OSError; Retry while there is no quorum.
    """
    executor = Executor(socket.gethostname(), Cib())
    for _ in range(LOOKS):
        before = look.stamps(look.WATCHED)
        state = look.look(REFUSED)
        if state is None:
            raise Retry("this node is in no cluster with quorum")
        actions = plan(state)
        if not actions and look.stamps(look.WATCHED) == before:
            return
        for action in actions:
            executor.do(action)
    raise Retry("definitions of guests change all the time")
