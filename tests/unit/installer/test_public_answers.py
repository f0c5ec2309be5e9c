"""Whole answer files of the shapes that people publish, from the file to the plan.

The shapes (which keys together, dotted or as tables, which mistakes) are those of answer files in
public repositories and documentation of 2024 to 2026; the values are ours.
"""

from __future__ import annotations

import pytest

from installer.answers.load import load_answer
from installer.answers.problems import AnswerError
from installer.inventory.model import Firmware, Inventory, NetworkInterface
from installer.plan.model import InstallBootLoader, Plan
from installer.plan.planner import make_plan
from installer.plan.storage_actions import CreateLogicalVolume, CreateZpool
from tests.unit.storage.machines import disk

MAC = "02:4d:53:09:00:01"
GLOBAL = """
[global]
keyboard = "en-us"
country = "at"
fqdn = "hv01.par1.example.org"
mailto = "admin@example.org"
timezone = "UTC"
root-password-hashed = '$6$saltsalt$abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRST'
"""
STATIC = f"""
[network]
source = "from-answer"
cidr = "10.10.10.21/24"
gateway = "10.10.10.1"
dns = "10.10.20.10"
filter.ID_NET_NAME_MAC = "*{MAC.replace(':', '')}"
"""
PINNED = f"""
[network.interface-name-pinning]
enabled = true

[network.interface-name-pinning.mapping]
"{MAC}" = "nic0"
"""


def server() -> Inventory:
    """Two NICs, two NVMe disks and a SATA one, all blank."""
    names = (("enp1s0", "02:4d:53:09:00:00"), ("enp2s0", MAC))
    return Inventory(
        firmware=Firmware(mode="uefi", secure_boot=True),
        memory_mib=16384,
        cpu_virtualization=True,
        disks=tuple(
            disk(name, 64, path=f"/dev/{name}", bus=bus, udev={"ID_SERIAL": f"LAB-{name}-system"})
            for name, bus in (("sda", "ata"), ("nvme0n1", "nvme"), ("nvme1n1", "nvme"))
        ),
        interfaces=tuple(
            NetworkInterface(
                name=name, mac=mac, udev={"ID_NET_NAME_MAC": f"enx{mac.replace(':', '')}"}
            )
            for name, mac in names
        ),
    )


def plan(text: str) -> Plan:
    return make_plan(load_answer(text.encode(), "answer.toml").answer, server())


def content(plan_: Plan, ending: str) -> str:
    return next(file.content for file in plan_.files if file.path.endswith(ending))


def test_lvm_by_serial_with_dotted_options() -> None:
    made = plan(
        GLOBAL
        + STATIC
        + PINNED
        + """
[disk-setup]
filesystem = "ext4"
filter.ID_SERIAL = "*-sda-system"
lvm.swapsize = 2
lvm.maxroot = 12
lvm.minfree = 2
"""
    )
    volumes = {a.name: a.size_kib for a in made.actions if isinstance(a, CreateLogicalVolume)}
    assert volumes == {"swap": 2 * 2**20, "root": 12 * 2**20}
    assert [d.path for d in made.disks if d.use == "system"] == ["/dev/sda"]
    assert made.fqdn == "hv01.par1.example.org"
    assert "10.10.10.21 hv01.par1.example.org hv01\n" in content(made, "/etc/hosts")
    assert "address1=10.10.10.21/24" in content(made, "vmbr0.nmconnection")
    pin = next(f for f in made.files if f.path.endswith(".link") and MAC in f.content)
    assert "Name=nic0" in pin.content


def test_zfs_mirror_on_two_named_nvme_disks() -> None:
    made = plan(
        GLOBAL
        + STATIC
        + """
[disk-setup]
filesystem = "zfs"
zfs.raid = "raid1"
disk-list = ["nvme0n1", "nvme1n1"]
"""
    )
    pool = next(a for a in made.actions if isinstance(a, CreateZpool))
    assert pool.name == "rpool" and pool.vdevs[0] == "mirror" and len(pool.vdevs) == 3
    boot = [a for a in made.actions if isinstance(a, InstallBootLoader)]
    assert {a.disk for a in boot} == {"/dev/nvme0n1", "/dev/nvme1n1"}
    assert len({a.esp_uuid for a in boot}) == 2
    assert "root=ZFS=rpool/ROOT/" in " ".join(boot[0].kernel_parameters)


def test_old_spellings_still_work_and_are_named() -> None:
    old = GLOBAL.replace("root-password-hashed", "root_password_hashed") + STATIC
    loaded = load_answer(
        (old + '[disk-setup]\nfilesystem = "xfs"\ndisk_list = ["sda"]\n').encode(), "a.toml"
    )
    assert any("root_password_hashed" in warning for warning in loaded.warnings)
    assert any("disk_list" in warning for warning in loaded.warnings)
    made = make_plan(loaded.answer, server())
    assert any(
        line.split()[:3] == ["/dev/mapper/slipway-root", "/", "xfs"] for line in _fstab(made)
    )


def _fstab(made: Plan) -> list[str]:
    return content(made, "/etc/fstab").splitlines()


@pytest.mark.parametrize(
    ("good", "bad", "about"),
    [
        ('keyboard = "en-us"', 'keyboard = "us"', "global.keyboard"),
        ('country = "at"', 'country = "AT"', "global.country"),
        ('country = "at"', "country = AT", "not valid TOML"),
        ('gateway = "10.10.10.1"', 'gateway = "10.10.10.1/24"', "network.gateway"),
        ('cidr = "10.10.10.21/24"', 'cidr = "10.10.10.21"', "network.cidr"),
        ('fqdn = "hv01.par1.example.org"', 'fqdn = "hv01"', "global.fqdn"),
        ('mailto = "admin@example.org"', 'mailto = "mail@example.invalid"', "global.mailto"),
        ('source = "from-answer"', 'source = "static"', "network.source"),
        ('disk-list = ["sda"]', 'disk-list = "sda"', "disk-setup.disk-list"),
        ('disk-list = ["sda"]', 'disks = ["sda"]', "disk-setup.disks"),
        ('filesystem = "ext4"', 'filesystem = "zfs"', "zfs.raid is needed"),
    ],
)
def test_common_mistakes_are_refused_by_name(good: str, bad: str, about: str) -> None:
    text = GLOBAL + STATIC + '[disk-setup]\nfilesystem = "ext4"\ndisk-list = ["sda"]\n'
    load_answer(text.encode(), "answer.toml")
    assert good in text
    with pytest.raises(AnswerError) as caught:
        load_answer(text.replace(good, bad).encode(), "answer.toml")
    assert about in str(caught.value)
