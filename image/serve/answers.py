"""The answer of a machine: matched, rendered, checked, and put on record before it is served."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_interface
from typing import Any

from agent.core.errors import SlipwayError
from image.serve import kits, machines, numbers, templates
from image.serve.facts import Facts
from image.serve.load_site import LoadedSite
from image.serve.machines import Machine
from image.serve.match import Matched
from image.serve.templates import TemplateProblem
from installer.answers.allowed import Allowed
from installer.answers.load import load_answer
from installer.answers.positions import KeyPath
from installer.answers.problems import AnswerError
from installer.answers.schema import Answer, json_schema


class AnswerProblem(SlipwayError):
    """The site file gives no valid answer for this machine. Correcting it may help."""


@dataclass(frozen=True)
class Webhook:
    """Where a machine is to report: the answer's table [webhook]."""

    url: str
    fingerprint: str
    token: str


@dataclass(frozen=True)
class Rendered:
    """An answer as it is served, JSON, and as the installer will understand it."""

    content: bytes
    answer: Answer

    @property
    def shown(self) -> str:
        """The answer without its secrets."""
        return self.answer.model_dump_json(by_alias=True, exclude_defaults=True, indent=2)


def render_answer(
    db: sqlite3.Connection,
    loaded: LoadedSite,
    matched: Matched,
    machine: Machine,
    facts: Facts,
    webhook: Webhook | None,
) -> Rendered:
    """The machine's answer. What counters give to it stays given. Raises AnswerProblem."""
    tree = templates.merge(layers(loaded, matched))
    try:
        values = _values(db, loaded, matched, machine, facts)
        content = templates.render_tree(tree, values, _allowed())
        name = content.get("global", {}).get("fqdn")
        made = kits.cluster_table(db, matched.group, name) if matched.group else {}
    except TemplateProblem as error:
        raise AnswerProblem(loaded.document.lines([error.problem])[0]) from None
    except kits.NotANode as error:
        raise AnswerProblem(error.message, where=error.where, hint=error.hint) from None
    if made:
        content["cluster"] = made | content.get("cluster", {})
    if webhook:
        content["webhook"] = {
            "url": webhook.url,
            "token": webhook.token,
            "cert-fingerprint": webhook.fingerprint,
        }
    text = json.dumps(content, indent=2).encode()
    try:
        return Rendered(text, load_answer(text, f"answer of {machine.name}", "json").answer)
    except AnswerError as error:
        raise AnswerProblem(
            f"the site file gives {machine.name} an answer that is not valid", hint=error.hint
        ) from None


def layers(loaded: LoadedSite, matched: Matched) -> list[tuple[KeyPath, Mapping[str, Any]]]:
    """The tables `answer` that count for a machine, with their places; the last wins."""
    site = loaded.site
    found: list[tuple[KeyPath, Mapping[str, Any]]] = [(("answer",), site.answer)]
    if matched.group:
        number = site.groups.index(matched.group)
        found.append((("groups", number, "answer"), matched.group.answer))
    if matched.machine:
        number = site.machines.index(matched.machine)
        found.append((("machines", number, "answer"), matched.machine.answer))
    return found


def record(
    db: sqlite3.Connection, machine: Machine, matched: Matched, rendered: Rendered, client: str
) -> None:
    """Put on record what is served. Raises AnswerProblem if another machine has that already."""
    table = matched.machine.name if matched.machine else None
    fqdn = rendered.answer.global_.fqdn
    name = fqdn if isinstance(fqdn, str) else None
    for column, value in (("site_machine", table), ("fqdn", name)):
        row = db.execute(
            f"SELECT id FROM machines WHERE {column} = ? AND id != ?", (value, machine.id)
        ).fetchone()
        if row:
            other = machines.get(db, row["id"])
            raise AnswerProblem(
                f"{value} was given to another machine already: {', '.join(other.macs)}",
                hint="Forget that machine on the page if it is gone for ever.",
            )
    _claim_addresses(db, machine, addresses_in(rendered.answer))
    db.execute(
        "UPDATE machines SET site_machine = ?, fqdn = ? WHERE id = ?", (table, name, machine.id)
    )
    db.execute(
        "INSERT INTO served (machine, attempt, at, client, site_group, site_machine, digest, "
        "answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(machine.id, machine.attempt, time.time(), client),
            *(matched.group.name if matched.group else None, table),
            *(hashlib.sha256(rendered.content).hexdigest(), rendered.shown),
        ),
    )


def addresses_in(answer: Answer) -> list[str]:
    """The static addresses of the node, without prefix lengths."""
    links = [answer.network, *answer.network.bonds, *answer.network.vlans, *answer.network.bridges]
    return [_plain(text) for link in links for text in getattr(link, "cidr", None) or ()]


def _plain(cidr: object) -> str:
    return str(ip_interface(str(cidr)).ip)


def _claim_addresses(db: sqlite3.Connection, machine: Machine, given: Iterable[str]) -> None:
    db.execute("DELETE FROM addresses WHERE machine = ?", (machine.id,))
    for text in given:
        row = db.execute("SELECT machine FROM addresses WHERE address = ?", (text,)).fetchone()
        if row:
            other = machines.get(db, row["machine"])
            raise AnswerProblem(f"the address {text} was given to {other.name} already")
        db.execute("INSERT INTO addresses VALUES (?, ?)", (text, machine.id))


def _values(
    db: sqlite3.Connection, loaded: LoadedSite, matched: Matched, machine: Machine, facts: Facts
) -> dict[str, object]:
    """What templates can use."""
    reserved = _reserved(loaded)

    def counter(name: str, first: int = 1) -> int:
        return numbers.counter(db, name, machine.id, first)

    def address(network: str, first: int = 1) -> str:
        return numbers.address(db, network, machine.id, first, reserved)

    scopes = [scope for scope in (matched.group, matched.machine) if scope]
    variables = {**loaded.site.variables}
    for scope in scopes:
        variables |= scope.variables
    return {
        **variables,
        "counter": counter,
        "address": address,
        "mac": facts.macs[0],
        "serial": facts.serial,
        "uuid": facts.uuid,
        "identity": facts.identity or {},
        "group": matched.group.name if matched.group else "",
        "name": matched.machine.name if matched.machine else "",
    }


def _reserved(loaded: LoadedSite) -> frozenset[str]:
    """The addresses that the site file itself gives to single machines."""
    found = set()
    for machine in loaded.site.machines:
        network = machine.answer.get("network", {})
        given = network.get("cidr", ()) if isinstance(network, dict) else ()
        for text in [given] if isinstance(given, str) else given:
            try:
                found.add(_plain(text))
            except ValueError:
                # A template: what it gives is not known before that machine asks.
                continue
    return frozenset(found)


@cache
def _allowed() -> Allowed:
    return Allowed(json_schema())
