"""What the tests of templates share: servers and a store."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.config import TemplateSource
from agent.templates.fetch import Fetcher
from agent.templates.store import Store
from agent.templates.web import Patience
from tests.unit.answers.servers import make_certificate
from tests.unit.templates.server import Files, serving

QUICK = Patience(tries=2, pause=0.01)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    make_certificate(path)
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[Files]:
    with serving(certificate) as files:
        yield files


@pytest.fixture
def source(server: Files, certificate: Path) -> TemplateSource:
    """The server as a folder with SHA256SUMS."""
    ca = Path(f"{certificate}.crt").read_text()
    return TemplateSource(name="own", kind="directory", url=f"{server.address}/t", ca=ca)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def fetcher(store: Store, source: TemplateSource) -> Fetcher:
    return Fetcher(store, [source], patience=QUICK)


Offer = Callable[[str, bytes], bytes]


@pytest.fixture
def offer(server: Files) -> Offer:
    """Put a template on the server under a name; gives its content."""

    def put(name: str, content: bytes = b"") -> bytes:
        content = content or random.Random(name).randbytes(3_000_017)
        server.content[f"t/{name}.tar.xz"] = content
        sums = {
            path.removeprefix("t/"): hashlib.sha256(data).hexdigest()
            for path, data in server.content.items()
            if path.endswith(".tar.xz")
        }
        lines = (f"{digest}  {path}\n" for path, digest in sums.items())
        server.content["t/SHA256SUMS"] = "".join(lines).encode()
        return content

    return put


def files_of(store: Store) -> set[str]:
    """Every file of the store that is not a lock, an index or hidden."""
    found = set()
    for folder, _, names in os.walk(store.folder):
        found |= {str(Path(folder, name).relative_to(store.folder)) for name in names}
    return {path for path in found if not path.endswith(".lock") and path != "SHA256SUMS"}
