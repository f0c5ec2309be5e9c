"""Backups: their names, which go, what is run, and what a restored machine is."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.backup import definition, plan, schedule, work
from agent.backup.model import (
    Backup,
    Kind,
    backups_in,
    check_guest,
    choose,
    name_of,
    outdated,
)
from agent.config import LvmThin, Zfs
from agent.containers.model import Record
from agent.containers.plan import Seen
from agent.containers.volumes import volumes_of
from agent.core.errors import SlipwayError
from tests.lab.wait import until

TIMES = ("20261119T010000Z", "20261120T010000Z", "20261121T010000Z")
STORAGE = LvmThin(volume_group="slipway", thin_pool="data")
RECORD = Record(storage=STORAGE, disk_bytes=1 << 30, template="debian")
DOMAIN = """
<domain type="kvm"><name>web</name><uuid>3b6f</uuid><os><nvram>/x.fd</nvram></os><devices>
<disk type="file" device="disk"><driver name="qemu" type="qcow2"/>
<source file="/images/web.qcow2" index="1"/><backingStore type="file"/><target dev="vda"/></disk>
<disk type="block" device="disk"><driver name="qemu" type="raw"/>
<source dev="/dev/zvol/tank/web"/><target dev="vdb"/></disk>
<disk type="file" device="cdrom"><source file="/iso/a.iso"/><target dev="sda"/></disk>
<interface type="bridge"><mac address="52:54:00:00:00:01"/></interface></devices></domain>
"""


def backups(*names: str, kind: Kind = "vm") -> tuple[Backup, ...]:
    return tuple(Backup(kind, "web", name, Path("/b/vm/web", name)) for name in names)


def test_a_name_is_the_time_in_utc() -> None:
    assert name_of(datetime(2026, 11, 21, 1, tzinfo=UTC)) == TIMES[2]


def test_only_complete_backups_count(tmp_path: Path) -> None:
    for name in (*TIMES, f"{TIMES[0]}.partial", "notes"):
        (tmp_path / "vm" / "web" / name).mkdir(parents=True)
    (tmp_path / "container" / "mail" / TIMES[1]).mkdir(parents=True)
    found = backups_in(tmp_path)
    assert [(each.kind, each.guest, each.time) for each in found] == [
        *(("vm", "web", time) for time in TIMES),
        ("container", "mail", TIMES[1]),
    ]


def test_the_newest_or_the_one_of_a_time_is_chosen() -> None:
    assert choose(backups(*TIMES), "web", None).time == TIMES[2]
    assert choose(backups(*TIMES), "web", TIMES[0]).time == TIMES[0]
    with pytest.raises(SlipwayError, match="no backup of web from never"):
        choose(backups(*TIMES), "web", "never")
    with pytest.raises(SlipwayError, match="no backup of mail"):
        choose(backups(*TIMES), "mail", None)
    both = (*backups(*TIMES), *backups(TIMES[0], kind="container"))
    with pytest.raises(SlipwayError, match="both a virtual machine and a container"):
        choose(both, "web", None)


@pytest.mark.parametrize(("keep", "gone"), [(1, TIMES[:2]), (2, TIMES[:1]), (3, ()), (9, ())])
def test_the_oldest_go(keep: int, gone: tuple[str, ...]) -> None:
    found = outdated(backups(*TIMES), "vm", "web", keep)
    assert tuple(each.time for each in found) == gone
    assert outdated(backups(*TIMES), "container", "web", keep) == ()


@pytest.mark.parametrize("name", ["", "../etc", "-a", "a b", "a/b", "a%i"])
def test_names_that_cannot_be_folders(name: str) -> None:
    with pytest.raises(SlipwayError, match="cannot be backed up"):
        check_guest(name)


def test_a_backup_has_its_name_when_it_is_complete() -> None:
    commands = plan.backup_vm(Path("/b"), "web", TIMES[0])
    words = [" ".join(each.argv) for each in commands]
    partial = f"/b/vm/web/{TIMES[0]}.partial"
    assert words[-1] == f"mv --no-target-directory {partial} /b/vm/web/{TIMES[0]}"
    assert words[-2].startswith("virtnbdbackup --domain web --level copy")
    assert words[-2].endswith(f"--output {partial}")
    undone = [each.undo for each in commands if each.undo]
    assert undone == [("rm", "--recursive", "--force", "--one-file-system", partial)]


def test_a_container_is_archived_from_a_snapshot() -> None:
    seen = Seen("mail", RECORD, "", "RUNNING")
    commands = plan.backup_container(Path("/b"), seen, volumes_of(STORAGE), TIMES[0])
    programs = [each.argv[0] for each in commands]
    at = programs.index("tar")
    assert "lvcreate" in programs[:at] and "mount" in programs[:at]
    assert programs[at + 1 :] == ["umount", "lvremove", "rm", "mv"]
    assert "/var/lib/lxc/mail_backup/rootfs" in commands[at].argv
    assert commands[-3].argv[-1] == "slipway/container-mail_backup"
    assert commands[-2].argv[-1] == "/var/lib/lxc/mail_backup"


def test_zfs_takes_the_name_of_the_copy() -> None:
    storage = Zfs(dataset="rpool/data")
    seen = Seen("mail", Record(storage=storage, disk_bytes=1, template="debian"), "", "RUNNING")
    commands = plan.backup_container(Path("/b"), seen, volumes_of(storage), TIMES[0])
    clone = next(each.argv[-1] for each in commands if each.argv[:2] == ("zfs", "clone"))
    assert re.fullmatch(r"[A-Za-z0-9_.:/-]+", clone)


def test_the_copy_of_an_interrupted_backup_goes_first() -> None:
    seen = Seen("mail", RECORD, "", "RUNNING")
    volumes = volumes_of(STORAGE)
    commands = plan.backup_container(Path("/b"), seen, volumes, TIMES[0], leftover=True)
    programs = [each.argv[0] for each in commands]
    at = programs.index("lvremove")
    assert at < programs.index("lvcreate")
    # Its file system may be mounted, or not.
    assert programs[at - 1] == "umount" and commands[at - 1].may_fail


def test_backups_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []
    free = threading.Event()

    def guests() -> dict[str, Kind]:
        begun.append(threading.current_thread().name)
        assert free.wait(30)
        return {}

    monkeypatch.setattr(work, "guests", guests)

    def back_up() -> None:
        work.run_backups([], tmp_path, 1, show=False, lock=tmp_path / "lock")

    threads = [threading.Thread(target=back_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    said = "another backup runs"
    until(lambda: said in capsys.readouterr().err or None, 30, said, where="the second")
    assert len(begun) == 1
    free.set()
    for thread in threads:
        thread.join(30)
    assert len(begun) == 2


def test_a_container_comes_back_with_its_configuration_last() -> None:
    backup = Backup("container", "mail", TIMES[0], Path("/b/container/mail/x"))
    commands = plan.restore_container(backup, RECORD, volumes_of(STORAGE))
    assert commands[-1].argv == ("cp", "/b/container/mail/x/config", "/var/lib/lxc/mail/config")


def test_restored_disks_are_sparse_files() -> None:
    disks = definition.disks_of(DOMAIN)
    assert disks == {"vda": "web.qcow2", "vdb": "web"}
    backup = backups(TIMES[0])[0]
    commands = plan.restore_vm(backup, "new", "<domain/>", disks, Path("/images"))
    converted = [each.argv[-2:] for each in commands if each.argv[0] == "qemu-img"]
    assert converted == [
        ("/images/.restore-new/web.qcow2", "/images/new-vda.qcow2"),
        ("/images/.restore-new/web", "/images/new-vdb.qcow2"),
    ]


def test_a_machine_under_another_name_is_another_one() -> None:
    places = {"vda": Path("/images/new-vda.qcow2"), "vdb": Path("/images/new-vdb.qcow2")}
    xml = definition.restored(DOMAIN, "new", places)
    assert definition.disks_of(xml) == {"vda": "new-vda.qcow2", "vdb": "new-vdb.qcow2"}
    for part in ("uuid", "mac", "nvram", "raw", "block", "backingStore", "/dev/zvol"):
        assert part not in xml
    assert "<name>new</name>" in xml and "/iso/a.iso" in xml
    same = definition.restored(DOMAIN, "web", places)
    assert "52:54:00:00:00:01" in same and "3b6f" in same


def test_a_schedule() -> None:
    service, timer, *rest = schedule.add("nightly", ["web"], "/b", 7, "daily")
    assert "ExecStart=/usr/bin/slipway backup run web --to /b --keep 7\n" in str(service.input)
    assert "OnCalendar=daily\n" in str(timer.input)
    assert service.argv[-1] == "/etc/systemd/system/slipway-backup-nightly.service"
    assert rest[-1].argv == ("systemctl", "restart", "slipway-backup-nightly.timer")
    everything, *_ = schedule.add("nightly", [], "nas", 7, "daily")
    assert "backup run --all --to nas" in str(everything.input)


@pytest.mark.parametrize(
    ("name", "guests", "place"),
    [
        ("a b", [], "/b"),
        ("a", ["x y"], "/b"),
        ("a", [], "/b c"),
        ("a", [], "/b%n"),
        ("..", [], "/b"),
    ],
)
def test_what_a_unit_would_read_otherwise(name: str, guests: list[str], place: str) -> None:
    with pytest.raises(SlipwayError):
        schedule.add(name, guests, place, 7, "daily")


def test_a_schedule_that_is_not_there() -> None:
    with pytest.raises(SlipwayError, match="no schedule never"):
        schedule.remove("never")


def test_times_are_systemds() -> None:
    schedule.check_calendar("Mon..Fri 22:30")
    with pytest.raises(SlipwayError, match="no time"):
        schedule.check_calendar("whenever")
