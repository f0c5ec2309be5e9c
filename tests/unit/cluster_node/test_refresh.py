"""What a member does by itself when the records change; pcs and TLS are in the laboratory."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from agent.cluster import authority, libvirt, refresh, tunnel, units
from agent.cluster.authority import Authority
from agent.cluster.folder import Folder
from agent.cluster.pcs import Pcsd
from agent.cluster.records import Records
from agent.step import Retry
from tests.unit.cluster.shared import Memory

NOW = datetime.datetime.now(datetime.UTC)
ENDS = int(NOW.timestamp()) + 10**7


class Systemd:
    """Remembers what was started anew, and what was proven to run."""

    def __init__(self) -> None:
        self.restarted: list[str] = []

    def restart(self, name: str) -> None:
        self.restarted.append(name)

    def prove(self, names: tuple[str, ...]) -> None:
        assert set(names) <= set(self.restarted)


class Member:
    """node1, which has the authority's key. meanwhile: what others write while it works."""

    def __init__(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.shared = Memory()
        self.systemd = Systemd()
        self.rotated: list[int] = []
        self.meanwhile: list[dict[str, str]] = []
        own = Authority.create("lab", NOW)
        key = authority.new_key()
        folder.write(folder.authority_secret, own.text())
        folder.write(folder.authority, authority.pem(own.certificate))
        folder.write(folder.key, authority.key_pem(key))
        self.certify(own, key, NOW)
        folder.write(folder.revoked, "")
        self.shared.replace("signer-node1", "yes")
        monkeypatch.setattr(tunnel, "configure", lambda *_: True)
        monkeypatch.setattr(libvirt, "configure", lambda *_: None)
        monkeypatch.setattr(libvirt, "take_up", lambda *_: None)
        monkeypatch.setattr(refresh, "rotate", self.rotate)

    def certify(
        self, own: Authority, key: ec.EllipticCurvePrivateKey, at: datetime.datetime
    ) -> None:
        made = own.sign(key.public_key(), "node1", ["192.0.2.1"], at)
        self.folder.write(self.folder.certificate, authority.pem(made))

    def rotate(self, folder: Folder, _pcsd: object, _certificate: object, number: int) -> None:
        self.rotated.append(number)
        folder.write(folder.rotation, str(number))
        for name, text in (self.meanwhile.pop(0) if self.meanwhile else {}).items():
            self.shared.replace(name, text)

    def refresh(self) -> None:
        refresh.refresh(self.folder, self.shared, Pcsd(), self.systemd)  # type: ignore[arg-type]

    def refused(self) -> set[int]:
        """The serial numbers that this member's programs refuse."""
        return authority.revoked_serials(self.folder.revoked.read_text())


@pytest.fixture
def member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Member:
    return Member(Folder(tmp_path), monkeypatch)


def test_nothing_to_do(member: Member) -> None:
    member.refresh()
    assert member.systemd.restarted == [] and member.rotated == []


def test_a_revoked_certificate_is_published_and_refused(member: Member) -> None:
    member.shared.replace("revoked-ab", f"1:{ENDS}")
    member.refresh()
    published = Records(member.shared.texts()).revocation_list()
    assert authority.revoked_serials(published) == {0xAB} == member.refused()
    assert member.systemd.restarted == [tunnel.UNIT, units.ENDPOINT]


def test_what_changes_meanwhile_is_done_too(member: Member) -> None:
    """Another member is removed while this one renews its keys."""
    member.shared.replace("rotation", "1")
    member.meanwhile = [{"rotation": "2", "revoked-cd": f"1:{ENDS}"}]
    member.refresh()
    assert member.rotated == [1, 2]
    assert member.refused() == {0xCD}


def test_it_ends_when_records_change_all_the_time(member: Member) -> None:
    member.shared.replace("rotation", "1")
    member.meanwhile = [{"rotation": str(number)} for number in range(2, 100)]
    with pytest.raises(Retry, match="all the time"):
        member.refresh()


def test_the_list_is_in_use_also_where_no_certificate_can_be_had(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renewal fails, and what was taken up before counts all the same."""

    def renew(*_: object) -> None:
        raise Retry("no member that signs certificates is online")

    monkeypatch.setattr(refresh, "renew", renew)
    own = Authority.load(member.folder.authority_secret.read_text())
    key = authority.load_key(member.folder.key.read_text())
    member.certify(own, key, NOW - datetime.timedelta(days=700))
    member.shared.replace("revoked-ab", f"1:{ENDS}")
    with pytest.raises(Retry, match="no member that signs"):
        member.refresh()
    assert member.refused() == {0xAB}
    assert member.systemd.restarted == [tunnel.UNIT, units.ENDPOINT]
