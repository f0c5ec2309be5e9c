"""Declared storages: their files, libvirt's definitions of them, and what is run for them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from agent.config import Directory, LvmThin, Zfs
from agent.core.errors import SlipwayError
from agent.storages import plan, reach, registry
from agent.storages.model import Gluster, Iscsi, Lvm, Nfs, Rbd, Smb, Storage, where
from agent.storages.plan import State
from agent.storages.pool import pool_xml, secret_id, secret_xml
from agent.storages.users import is_used_by

TARGET = "iqn.2026-11.org.example:disks"
STORAGES: dict[str, Storage] = {
    "dir": Directory(path=Path("/srv/disks")),
    "vg": Lvm(volume_group="shared"),
    "thin": LvmThin(volume_group="fast", thin_pool="data"),
    "tank": Zfs(dataset="tank/guests"),
    "nas": Nfs(server="192.0.2.9", export="/export/guests", version="4.2"),
    "share": Smb(server="nas.example.org", share="guests", username="node", domain="LAB"),
    "san": Iscsi(portal="192.0.2.9", target=TARGET, username="node"),
    "ceph": Rbd(monitors=("192.0.2.1", "192.0.2.2"), pool="guests", username="node"),
    "brick": Gluster(servers=("192.0.2.1", "192.0.2.2"), volume="guests"),
}
NAMES = list(STORAGES)


@pytest.mark.parametrize("name", NAMES)
def test_a_storage_is_kept_as_it_was_declared(name: str, tmp_path: Path) -> None:
    registry.save(name, STORAGES[name], "geheim", tmp_path)
    assert registry.load(tmp_path) == {name: STORAGES[name]}
    secret = registry.secret_of(name, tmp_path)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "geheim" not in registry.path_of(name, tmp_path).read_text()
    registry.forget(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_valid_is_named(tmp_path: Path) -> None:
    (tmp_path / "nas.toml").write_text('kind = "nfs"\nserver = "a b"\nexport = "/x"\n')
    with pytest.raises(SlipwayError, match="nas.toml: the storage is not valid"):
        registry.load(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "nfs", "server": "-o", "export": "/x"},
        {"kind": "nfs", "server": "nas", "export": "x"},
        {"kind": "smb", "server": "nas", "share": "a,uid=0"},
        {"kind": "smb", "server": "nas", "share": "a", "username": "x,y"},
        {"kind": "iscsi", "portal": "nas", "target": TARGET, "port": 0},
        {"kind": "lvm", "volume_group": "--all"},
    ],
)
def test_values_that_a_tool_would_take_for_something_else(values: dict[str, object]) -> None:
    adapter: TypeAdapter[Storage] = TypeAdapter(Storage)
    with pytest.raises(ValueError):
        adapter.validate_python(values)


@pytest.mark.parametrize(
    ("name", "kind", "parts"),
    [
        ("dir", "dir", ["<path>/srv/disks</path>"]),
        ("vg", "logical", ["<name>shared</name>"]),
        ("thin", "dir", ["<path>/var/lib/slipway/storages/thin</path>"]),
        ("tank", "zfs", ["<name>tank/guests</name>"]),
        (
            "nas",
            "netfs",
            [
                '<host name="192.0.2.9" />',
                '<dir path="/export/guests" />',
                '<protocol ver="4.2" />',
                "<path>/var/lib/slipway/storages/nas</path>",
            ],
        ),
        ("share", "dir", ["<path>/var/lib/slipway/storages/share</path>"]),
        (
            "san",
            "iscsi",
            [
                '<host name="192.0.2.9" port="3260" />',
                f'<device path="{TARGET}" />',
                '<auth type="chap" username="node">',
                f'<secret uuid="{secret_id("san")}" />',
            ],
        ),
        (
            "ceph",
            "rbd",
            [
                '<host name="192.0.2.1" />',
                '<host name="192.0.2.2" />',
                "<name>guests</name>",
                '<auth type="ceph" username="node">',
            ],
        ),
        ("brick", "gluster", ['<host name="192.0.2.2" />', "<name>guests</name>"]),
    ],
)
def test_libvirts_pool(name: str, kind: str, parts: list[str]) -> None:
    xml = pool_xml(name, STORAGES[name], "192.0.2.2")
    assert xml.startswith(f'<pool type="{kind}">\n  <name>{name}</name>\n')
    for part in parts:
        assert part in xml


def lines(name: str, state: State = State(), server: str = "192.0.2.9") -> list[str]:
    return [" ".join(step.argv) for step in plan.connect(name, STORAGES[name], state, server)]


def test_a_local_storage_starts_with_libvirt_and_one_with_a_server_does_not() -> None:
    define, start = "virsh pool-define /dev/stdin", "virsh pool-start"
    assert lines("vg") == [define, f"{start} vg", "virsh pool-autostart vg"]
    folder = "mkdir -p /var/lib/slipway/storages/nas"
    assert lines("nas") == [folder, define, f"{start} nas"]


def test_an_active_pool_is_not_started_again() -> None:
    assert not any("pool-start" in line for line in lines("nas", State(defined=True, active=True)))


def test_the_password_of_a_share_is_in_no_argument() -> None:
    mount = list(plan.connect("share", STORAGES["share"], State(), ""))[1]
    assert mount.argv[-2:] == ("//nas.example.org/guests", "/var/lib/slipway/storages/share")
    assert mount.env == {"PASSWD_FILE": "/etc/slipway/storages/share.secret"}
    assert "username=node,domain=LAB" in mount.argv[4]
    assert "mount" not in {line.split()[0] for line in lines("share", State(mounted=True))}


def test_secrets_go_to_libvirt_by_file() -> None:
    for name, plain in (("san", " --plain"), ("ceph", "")):
        file = f"/etc/slipway/storages/{name}.secret"
        assert lines(name)[:2] == [
            "virsh secret-define /dev/stdin",
            f"virsh secret-set-value {secret_id(name)} --file {file}{plain}",
        ]
    without = Iscsi(portal="192.0.2.9", target=TARGET)
    assert secret_xml("san", without) == ""
    assert secret_xml("share", STORAGES["share"]) == ""


def test_giving_up() -> None:
    used = State(defined=True, active=True, mounted=True)
    share = [" ".join(step.argv) for step in plan.disconnect("share", STORAGES["share"], used)]
    assert share == [
        "virsh pool-destroy share",
        "virsh pool-undefine share",
        "umount /var/lib/slipway/storages/share",
    ]
    san = [" ".join(step.argv) for step in plan.disconnect("san", STORAGES["san"], State())]
    assert san == [f"virsh secret-undefine {secret_id('san')}"]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("dir", '<source file="/srv/disks/a.qcow2"/>'),
        ("vg", '<source dev="/dev/shared/a"/>'),
        ("thin", '<source file="/var/lib/slipway/storages/thin/a.qcow2"/>'),
        ("tank", '<source dev="/dev/zvol/tank/guests/a"/>'),
        ("nas", '<source pool="nas" volume="a.qcow2"/>'),
        ("share", '<source file="/var/lib/slipway/storages/share/a.qcow2"/>'),
        ("san", f'<source dev="/dev/disk/by-path/ip-192.0.2.9:3260-iscsi-{TARGET}-lun-1"/>'),
        ("ceph", '<source protocol="rbd" name="guests/a"/>'),
        ("brick", '<source protocol="gluster" name="guests/a.qcow2"/>'),
    ],
)
def test_guests_are_known_by_their_disks(name: str, source: str) -> None:
    xml = f'<domain><devices><disk type="x">{source}</disk></devices></domain>'
    assert [each for each in NAMES if is_used_by(each, STORAGES[each], xml)] == [name]


def test_any_server_of_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def answers(host: str, port: int) -> bool:
        asked.append((host, port))
        return host == "192.0.2.2"

    monkeypatch.setattr(reach, "_answers", answers)
    assert reach.answering(STORAGES["brick"]) == "192.0.2.2"
    assert asked == [("192.0.2.1", 24007), ("192.0.2.2", 24007)]
    assert reach.answering(STORAGES["nas"]) is None
    assert reach.answering(STORAGES["dir"]) == ""


def test_where_a_storage_is() -> None:
    assert where(STORAGES["nas"]) == "192.0.2.9:/export/guests"
    assert where(STORAGES["share"]) == "//nas.example.org/guests"
    assert where(STORAGES["thin"]) == "fast/data"
