"""`slipway enrolment …`: the programs of a member that let other nodes in; units run them."""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import sys
from pathlib import Path

from agent.cluster import authority, identity
from agent.cluster.cib import Cib
from agent.cluster.enrolment import application, call, member, server, signer
from agent.cluster.enrolment.limits import RateLimit
from agent.cluster.enrolment.messages import Answer, Message
from agent.cluster.folder import Folder
from agent.cluster.pcs import Pcsd
from agent.cluster.qdevice_certificates import LOOPBACK
from agent.cluster.view import look
from agent.core.errors import SlipwayError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `enrolment` to the command line."""
    parser = commands.add_parser("enrolment", help="programs that let nodes join; units run them")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, function, text in (
        ("serve", run_serve, "answer nodes that want to join"),
        ("member", run_member, "check and add one node, told on standard input"),
        ("sign", run_sign, "sign one certificate, told on standard input"),
    ):
        actions.add_parser(name, help=text, description=text).set_defaults(function=function)


def run_serve(_options: argparse.Namespace) -> int:
    """Serve the endpoint until told to end."""
    _log()
    folder = Folder(_credentials())
    text = folder.authority.read_text()
    certificate = identity.own_certificate(folder)
    if certificate is None:
        raise SlipwayError("the node has no certificate", where=str(folder.certificate))

    async def ask(message: Message) -> Answer:
        return await call.call_async(call.MEMBER, message)

    endpoint = application.Endpoint(text, ask, RateLimit())
    context = server.tls_context(folder.certificate, folder.key, folder.authority, folder.revoked)
    sockets = server.listen((LOOPBACK, *authority.node_addresses(certificate)))
    server.serve(endpoint.application(), context, sockets)
    return 0


def run_member(_options: argparse.Namespace) -> int:
    """Answer the one command of the endpoint."""
    _log()
    folder, pcsd = Folder(), Pcsd()
    certificate = identity.own_certificate(folder)
    if certificate is None:
        raise SlipwayError("the node has no certificate", where=str(folder.certificate))
    own = authority.node_name(certificate)
    commands = member.Member(folder, pcsd, Cib(), lambda: look(own, pcsd))
    call.serve_one(lambda line: member.guarded(commands.answer, line))
    return 0


def run_sign(_options: argparse.Namespace) -> int:
    """Answer the one command of `member`."""
    _log()
    own = authority.Authority.load(Folder(_credentials()).authority_secret.read_text())
    now = datetime.datetime.now(datetime.UTC)
    call.serve_one(lambda line: member.guarded(lambda text: signer.answer(text, own, now), line))
    return 0


def _credentials() -> Path:
    """Where systemd shows the unit its secrets (LoadCredential=)."""
    return Path(os.environ["CREDENTIALS_DIRECTORY"])


def _log() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("agent.core.command").setLevel(logging.WARNING)
