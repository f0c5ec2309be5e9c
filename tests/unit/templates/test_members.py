"""Other members of the cluster as sources."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from agent.cluster.configuration import Address, Configuration, Node
from agent.config import TemplateSource
from agent.templates.fetch import Fetcher
from agent.templates.members import member_sources
from agent.templates.store import Store
from tests.unit.templates.conftest import QUICK, Offer

NAME = "debian/13/amd64"


def node(name: str, address: str) -> Node:
    return Node(name=name, nodeid=1, addrs=(Address(addr=address, link=0),))


def test_every_other_member() -> None:
    nodes = (node("a", "192.0.2.1"), node("b", "192.0.2.2"), node("c", "2001:db8::3"))
    cluster = Configuration(cluster_name="lab", nodes=nodes)
    sources = member_sources(lambda: cluster, "a")
    assert [source.url for source in sources] == [
        "http://192.0.2.2:2227",
        "http://[2001:db8::3]:2227",
    ]
    assert member_sources(lambda: None, "a") == ()


def test_a_member_gives_what_it_has(tmp_path: Path, fetcher: Fetcher, offer: Offer) -> None:
    """The server is the one that the unit slipway-template-server runs."""
    content = offer(NAME, b"")
    fetcher.fetch(NAME)
    handler = partial(Quiet, directory=str(fetcher.store.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        off = TemplateSource(name="off", kind="member", url="http://127.0.0.1:1")
        peer = TemplateSource(name="peer", kind="member", url=url)
        other = Fetcher(Store(tmp_path / "other"), [off, peer], patience=QUICK)
        assert other.fetch(NAME).path.read_bytes() == content
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing about requests."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass
