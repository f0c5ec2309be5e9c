"""Serving an answer: who asks, with which token, and whether that machine may have one now."""

from __future__ import annotations

import json
import sqlite3

from agent.core.errors import SlipwayError
from image.serve import answers, boot, machines, match, tokens
from image.serve.answers import Webhook
from image.serve.facts import Facts
from image.serve.load_site import LoadedSite
from image.serve.machines import Machine
from image.serve.tokens import Token


class Waiting(SlipwayError):
    """The machine may ask again: a person has not decided yet."""


class Denied(SlipwayError):
    """The machine gets no answer."""


def serve(
    db: sqlite3.Connection,
    loaded: LoadedSite,
    facts: Facts,
    bearer: str,
    client: str,
    hook: tuple[str, str],
) -> bytes:
    """The answer for the installer that posted these facts, with this token.

    hook: address and certificate's fingerprint for its reports. Until the installation has started
    the same machine may ask again, because answers get lost on their way. Raises WrongToken,
    Denied, Waiting, AnswerProblem, match.Ambiguous.
    """
    token = tokens.check(db, bearer, "answer")
    machine = _identify(db, machines.get(db, token.machine), facts)
    matched = match.find(loaded.site, facts)
    machine = _admit(db, loaded, machine, token, facts)
    webhook = Webhook(hook[0], hook[1], tokens.issue(db, machine, "events"))
    rendered = answers.render_answer(db, loaded, matched, machine, facts, webhook)
    answers.record(db, machine, matched, rendered, client)
    machines.explain(db, machine, "")
    machines.advance(db, machine, "answered", f"got its answer, at {client}")
    tokens.used(db, token)
    return rendered.content


def _identify(db: sqlite3.Connection, machine: Machine, facts: Facts) -> Machine:
    """The machine that the token was made for, if it is the one that asks."""
    if not set(machine.macs) & set(facts.macs):
        raise Denied(
            "this token was made for another machine", hint=f"It is for {', '.join(machine.macs)}."
        )
    for other in machines.owners(db, facts.macs):
        if other.id == machine.id:
            continue
        if other.state not in ("seen", "approved"):
            raise Denied(
                f"this machine is known as {other.name}, which is {other.state}",
                hint="To install it again, press Retry there.",
            )
        machines.absorb(db, machine, other)
    machines.learn(db, machine, facts)
    db.execute("UPDATE machines SET identity = ? WHERE id = ?", (_text(facts.identity), machine.id))
    return machines.get(db, machine.id)


def _admit(
    db: sqlite3.Connection, loaded: LoadedSite, machine: Machine, token: Token, facts: Facts
) -> Machine:
    """The machine, if it may have an answer."""
    if machine.state == "seen":
        matched = match.find(loaded.site, facts)
        if boot.approved(loaded.site, matched, facts):
            return machines.advance(db, machine, "approve", "approved by the site file")
    if machine.state in ("seen", "held"):
        raise Waiting(f"this machine is {machine.state}: it waits to be approved on the page")
    if machine.state == "approved":
        return machine
    if machine.state == "installing" and token.used and token.attempt == machine.attempt:
        return machine
    raise Denied(f"this machine is {machine.state} already", hint="To install again, press Retry.")


def _text(identity: object) -> str:
    return json.dumps(identity)
