"""How long a member's certificates and tokens are good for."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from agent.cluster import authority, credentials, identity
from agent.cluster.authority import Authority
from agent.cluster.folder import Folder
from agent.cluster.tokens import Listed

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    row = Listed(id="0" * 16, node="node4", expires=2_000_000_000, replace=False, state="unused")
    monkeypatch.setattr(credentials, "listed", lambda _shared: (row,))
    return Folder(tmp_path)


def test_a_member(folder: Folder) -> None:
    own = Authority.create("lab", NOW)
    folder.write(folder.authority, authority.pem(own.certificate), secret=False)
    made = identity.certify_self(folder, own, "node1", ["192.0.2.1"])
    found = credentials.read(folder)
    assert found.certificate_ends == made.not_valid_after_utc
    assert found.authority_ends == own.certificate.not_valid_after_utc
    said = "\n".join(credentials.lines(found))
    assert f"until {made.not_valid_after_utc:%Y-%m-%d}" in said
    assert "node4, until 2033-05-18 03:33 UTC" in said


def test_a_node_without_certificates(folder: Folder) -> None:
    found = credentials.read(folder)
    assert (found.certificate_ends, found.authority_ends) == (None, None)
    assert len(credentials.lines(found)) == 1
