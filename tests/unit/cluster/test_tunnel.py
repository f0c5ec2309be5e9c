"""What stunnel, nftables and OpenSSL are given: read by the programs themselves."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from agent.cluster import authority, identity, seal, tunnel
from agent.cluster.authority import Authority
from agent.cluster.folder import Folder

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "cluster")


def test_it_listens_on_every_address_and_asks_for_certificates(folder: Folder) -> None:
    text = tunnel.texts(("192.0.2.1", "2001:db8::1"), folder)[tunnel.STUNNEL]
    for address in ("192.0.2.1", "2001:db8::1"):
        for port in (2224, 30865, 2227, 2228):
            assert f"accept = {address}:{port}\nconnect = 127.0.0.1:{port}\n" in text
    assert "requireCert = yes" in text and "verifyChain = yes" in text
    assert "CRLfile" not in text


def test_a_list_of_revoked_certificates_is_used_once_there_is_one(folder: Folder) -> None:
    own = Authority.create("lab", NOW)
    folder.write(folder.revoked, own.revocation_list([], NOW), secret=False)
    assert f"CRLfile = {folder.revoked}" in tunnel.texts(("192.0.2.1",), folder)[tunnel.STUNNEL]


def test_what_is_sealed_is_for_one_key(folder: Folder) -> None:
    own = Authority.create("lab", NOW)
    certificate = identity.certify_self(folder, own, "node1", ("192.0.2.1",))
    sealed = seal.seal(own.text(), authority.pem(certificate))
    assert "PRIVATE KEY" not in sealed
    assert seal.unseal(sealed, folder.certificate, folder.key) == own.text()


def test_secrets_are_for_root_only(folder: Folder) -> None:
    own = Authority.create("lab", NOW)
    identity.certify_self(folder, own, "node1", ("192.0.2.1",))
    assert folder.key.stat().st_mode & 0o777 == 0o600
    assert folder.root.stat().st_mode & 0o777 == 0o700
