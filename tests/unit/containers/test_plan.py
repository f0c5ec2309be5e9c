"""Plans for containers: pure, one command for each action, and what takes it back."""

from __future__ import annotations

import io
import tarfile
from ipaddress import ip_interface
from pathlib import Path

import pytest

from agent.config import Directory, GuestStorage, LvmThin, Zfs
from agent.containers import guest, lxc, plan
from agent.containers.model import (
    Container,
    ContainerError,
    Network,
    Record,
    addresses_of,
    bytes_of,
    check_name,
    check_snapshot,
    cores_of,
    gateways_of,
)
from agent.containers.volumes import Volumes, volumes_of
from agent.core.commands import Command, command, explain, perform
from agent.core.errors import CommandFailed

LVM = LvmThin(volume_group="slipway", thin_pool="data")
ZFS = Zfs(dataset="rpool/guests")
BTRFS = Directory(path=Path("/srv/guests"))
STORAGES: tuple[GuestStorage, ...] = (LVM, ZFS, BTRFS)
NETWORK = Network("vmbr0", "00:16:3e:00:00:01")
FIXED = Network(
    "vmbr0",
    "00:16:3e:00:00:01",
    (ip_interface("192.0.2.10/24"), ip_interface("2001:db8::10/64")),
    ("192.0.2.1", "2001:db8::1"),
    ("192.0.2.53",),
)
WEB = Container("web", NETWORK, memory_bytes=256 << 20, cores=0.5, start_at_boot=True)
TEMPLATE = Path("/var/lib/slipway/templates/debian/13/amd64.tar.zst")


def record(storage: GuestStorage) -> Record:
    return Record(storage=storage, disk_bytes=1 << 30, template="debian/13/amd64")


def seen(storage: GuestStorage, **values: object) -> plan.Seen:
    text = lxc.configuration(WEB, volumes_of(storage).rootfs("web"))
    plain = plan.Seen("web", record(storage), text, "STOPPED", ("old", "new"))
    return plan.Seen(**{**plain.__dict__, **values})


def lines(commands: tuple[Command, ...]) -> list[str]:
    return [" ".join(each.argv) for each in commands]


@pytest.mark.parametrize("storage", STORAGES, ids=lambda storage: storage.kind)
def test_create_runs_nothing_that_is_not_taken_back(storage: GuestStorage) -> None:
    commands = plan.create(WEB, record(storage), volumes_of(storage), TEMPLATE)
    assert commands[0].undo[-1] == "/var/lib/lxc/web"
    makers = [each for each in commands if each.argv[:2] in (("zfs", "create"),)]
    makers += [each for each in commands if each.argv[0] in ("lvcreate", "mount")]
    makers += [each for each in commands if each.argv[:3] == ("btrfs", "subvolume", "create")]
    assert makers
    assert all(each.undo for each in makers)
    # LXC sees the container only when it is complete.
    assert commands[-1].argv[-1] == "/var/lib/lxc/web/config"


def test_lvm_commands() -> None:
    found = lines(plan.create(WEB, record(LVM), volumes_of(LVM), TEMPLATE))
    assert (
        "lvcreate --yes --wipesignatures y --name container-web --thin "
        "--virtualsize 1073741824b slipway/data"
    ) in found
    assert found.index("umount /var/lib/lxc/web/rootfs") == len(found) - 2
    assert lines(plan.rollback(seen(LVM), "old", volumes_of(LVM))) == [
        "lvrename slipway container-web container-web+old",
        "lvcreate --snapshot --setactivationskip n --name container-web slipway/container-web.old",
        "lvremove --yes slipway/container-web+old",
    ]
    assert lines(plan.remove(seen(LVM), volumes_of(LVM)))[0] == (
        "lvremove --yes slipway/container-web slipway/container-web.old slipway/container-web.new"
    )


def test_zfs_commands() -> None:
    assert lines(plan.rollback(seen(ZFS), "new", volumes_of(ZFS))) == [
        "zfs rollback rpool/guests/container-web@new"
    ]
    with pytest.raises(ContainerError, match="newer are: new"):
        plan.rollback(seen(ZFS), "old", volumes_of(ZFS))
    container = Container("copy", NETWORK, 0, 0)
    found = lines(plan.clone(seen(ZFS), container, volumes_of(ZFS), linked=True))
    snapshot = "rpool/guests/container-web@slipway-clone-copy"
    assert f"zfs snapshot {snapshot}" in found
    assert f"zfs destroy -d {snapshot}" in found
    assert any("refquota=1073741824" in line for line in found if "zfs clone" in line)


def test_btrfs_commands() -> None:
    found = lines(plan.create(WEB, record(BTRFS), volumes_of(BTRFS), TEMPLATE))
    assert "btrfs quota enable --simple /srv/guests" in found
    assert "btrfs qgroup limit 1073741824 /srv/guests/container-web" in found
    counted = lines(plan.create(WEB, record(BTRFS), volumes_of(BTRFS, quota=True), TEMPLATE))
    assert not [line for line in counted if "quota enable" in line]


def test_a_group_without_a_thin_pool() -> None:
    thick = LvmThin(volume_group="slipway")
    volumes = volumes_of(thick)
    found = lines(plan.create(WEB, record(thick), volumes, TEMPLATE))
    assert any("--size 1073741824b slipway" in line for line in found)
    with pytest.raises(ContainerError, match="snapshots need a thin pool"):
        plan.snapshot(seen(thick), "x", volumes)
    copy = Container("copy", NETWORK, 0, 0)
    with pytest.raises(ContainerError, match="linked clones need a thin pool"):
        plan.clone(seen(thick), copy, volumes, linked=True)
    with pytest.raises(ContainerError, match="cannot copy a disk that is in use"):
        plan.clone(seen(thick, state="RUNNING"), copy, volumes, linked=False)
    assert lines(plan.clone(seen(thick), copy, volumes, linked=False))


@pytest.mark.parametrize("storage", STORAGES, ids=lambda storage: storage.kind)
def test_what_runs_is_not_taken_away(storage: GuestStorage) -> None:
    volumes: Volumes = volumes_of(storage)
    running = seen(storage, state="RUNNING")
    with pytest.raises(ContainerError, match="the container web runs"):
        plan.remove(running, volumes)
    with pytest.raises(ContainerError, match="the container web runs"):
        plan.rollback(running, "new", volumes)
    with pytest.raises(ContainerError, match="has no snapshot other") as caught:
        plan.rollback(running, "other", volumes)
    assert "old, new" in str(caught.value)
    with pytest.raises(ContainerError, match="has a snapshot new already"):
        plan.snapshot(running, "new", volumes)
    assert plan.snapshot(running, "newest", volumes)


def test_what_an_interrupted_create_left_can_be_removed() -> None:
    left = seen(LVM, state="INCOMPLETE", snapshots=(), has_disk=False)
    assert lines(plan.remove(left, volumes_of(LVM))) == [
        "rm --recursive --force --one-file-system /var/lib/lxc/web"
    ]


def test_configuration_and_clone() -> None:
    text = lxc.configuration(WEB, "lvm:/dev/slipway/container-web")
    values = lxc.values(text)
    assert values["lxc.idmap"] == ("u 0 1000000000 65536", "g 0 1000000000 65536")
    assert values["lxc.cgroup2.cpu.max"] == ("50000 100000",)
    assert values["lxc.start.auto"] == ("1",)
    changed = text + "lxc.mount.entry = /srv srv none bind 0 0\n"
    cloned = lxc.values(lxc.cloned(changed, "copy", "dir:/x", FIXED))
    assert cloned["lxc.uts.name"] == ("copy",)
    assert cloned["lxc.rootfs.path"] == ("dir:/x",)
    assert cloned["lxc.net.0.ipv6.address"] == ("2001:db8::10/64",)
    assert cloned["lxc.net.0.ipv4.gateway"] == ("192.0.2.1",)
    assert cloned["lxc.mount.entry"] == values.get("lxc.mount.entry", ()) + (
        "/srv srv none bind 0 0",
    )
    back = lxc.values(lxc.cloned(lxc.configuration(WEB, "dir:/x"), "again", "dir:/y", NETWORK))
    assert "lxc.net.0.ipv4.address" not in back


def test_files_of_the_guest() -> None:
    archive = guest.personalize(Container("web", FIXED, 0, 0), Path("/rootfs"))
    assert isinstance(archive.input, bytes)
    with tarfile.open(fileobj=io.BytesIO(archive.input)) as files:
        members = {member.name: member for member in files.getmembers()}
        network = files.extractfile("etc/systemd/network/05-slipway.network")
        assert network is not None
        text = network.read().decode()
    assert "Address=192.0.2.10/24\nAddress=2001:db8::10/64\nGateway=192.0.2.1\n" in text
    assert "DHCP=yes" not in text
    assert set(members) >= {"etc/hostname", "etc/machine-id", "etc/resolv.conf"}
    assert archive.argv[0] == "lxc-usernsexec"
    assert "etc/resolv.conf" not in guest.own_files(WEB)


def test_a_failure_takes_back_what_was_done() -> None:
    ran: list[str] = []

    def runner(argv: tuple[str, ...], **_: object) -> None:
        ran.append(" ".join(argv))
        if argv == ("third",):
            raise CommandFailed(argv, 1, "no")

    commands = (
        command("first", undo=("undo", "first")),
        command("second"),
        command("third", undo=("undo", "third")),
        command("fourth", undo=("undo", "fourth")),
    )
    with pytest.raises(CommandFailed):
        perform(commands, runner)
    assert ran == ["first", "second", "third", "undo third", "undo first"]


def test_explain_can_be_read() -> None:
    text = explain(plan.create(WEB, record(LVM), volumes_of(LVM), TEMPLATE))
    assert "lvcreate" in text and "<<'END'" in text and "#   web" in text


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "../x", "x" * 64, "a b"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ContainerError, match="cannot be called"):
        check_name(name)


def test_names() -> None:
    assert check_name("web-1") == "web-1"
    assert check_snapshot("before_update") == "before_update"
    for label in ("", "a.b", "a@b", "a/b", "slipway-clone-x"):
        with pytest.raises(ContainerError, match="cannot be called"):
            check_snapshot(label)


def test_sizes() -> None:
    assert bytes_of("512M", 1) == bytes_of("0.5g", 1) == 512 << 20
    assert bytes_of("1.0001K", 1) % 512 == 0
    for text in ("512", "M", "-1G", "1X", "1e3G", "", "nanG"):
        with pytest.raises(ContainerError, match="no size"):
            bytes_of(text, 1)
    with pytest.raises(ContainerError, match="too small"):
        bytes_of("1M", 16 << 20)
    with pytest.raises(ContainerError, match="too large"):
        bytes_of("9999999T", 1)
    assert cores_of("1.5") == 1.5
    for text in ("0", "-1", "nan", "x", "inf"):
        with pytest.raises(ContainerError, match="no number of cores"):
            cores_of(text)


def test_addresses() -> None:
    own = addresses_of(["192.0.2.10/24", "2001:db8::10/64"])
    assert [str(each) for each in own] == ["192.0.2.10/24", "2001:db8::10/64"]
    assert addresses_of([]) == addresses_of(["dhcp"]) == ()
    assert gateways_of(["192.0.2.1", "fe80::1"], own) == ("192.0.2.1", "fe80::1")
    for texts, problem in (
        (["192.0.2.10"], "address and prefix"),
        (["192.0.2.300/24"], "no address"),
        (["192.0.2.10/24", "dhcp"], "do not go together"),
        (["192.0.2.10/24", "192.0.2.11/24"], "at most"),
        (["224.0.0.1/24"], "cannot be the address"),
    ):
        with pytest.raises(ContainerError) as caught:
            addresses_of(texts)
        assert problem in str(caught.value)
    for gateway in ("198.51.100.1", "x", "192.0.2.10"):
        with pytest.raises(ContainerError, match="not in the network|no address"):
            gateways_of([gateway], own)
