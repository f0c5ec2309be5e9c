"""The links that lead libvirt to the node's certificate."""

from __future__ import annotations

from pathlib import Path

from agent.cluster.folder import Folder
from agent.cluster.libvirt import configure


def test_links_follow_the_certificates(tmp_path: Path) -> None:
    folder, place = Folder(tmp_path / "cluster"), tmp_path / "pki"
    folder.write(folder.revoked, "")
    configure(folder, place)
    assert (place / "libvirt/private/serverkey.pem").readlink() == folder.key
    assert (place / "CA/cacert.pem").readlink() == folder.authority
    crl = place / "CA/crl.pem"
    assert not crl.is_symlink()
    folder.write(folder.revoked, "a list")
    configure(folder, place)
    assert crl.read_text() == "a list"
    folder.write(folder.revoked, "")
    configure(folder, place)
    assert not crl.is_symlink()
