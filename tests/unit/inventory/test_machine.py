"""Firmware, processor, memory, links and leases."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import SlipwayError
from installer.inventory.machine import (
    SECURE_BOOT,
    parse_cpu,
    parse_memory_mib,
    read_dmi,
    read_firmware,
)
from installer.inventory.model import Firmware, Lease
from installer.inventory.network import parse_leases, read_interfaces
from installer.inventory.probe import probe
from installer.inventory.udev import parse_database

RECORDED = Path(__file__).parents[2] / "data/inventory"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_firmware(tmp_path: Path) -> None:
    assert read_firmware(tmp_path) == Firmware(mode="bios", secure_boot=None)
    (tmp_path / "firmware/efi").mkdir(parents=True)
    assert read_firmware(tmp_path) == Firmware(mode="uefi", secure_boot=False)
    _write(tmp_path / SECURE_BOOT, b"\6\0\0\0\1")
    assert read_firmware(tmp_path) == Firmware(mode="uefi", secure_boot=True)
    _write(tmp_path / SECURE_BOOT, b"\6\0\0\0\0")
    assert read_firmware(tmp_path) == Firmware(mode="uefi", secure_boot=False)


def test_dmi_is_values_by_file_name(tmp_path: Path) -> None:
    folder = tmp_path / "class/dmi/id"
    _write(folder / "product_serial", b"ABC123\n")
    _write(folder / "sys_vendor", b"QEMU\n")
    _write(folder / "modalias", b"dmi:bvn\n")
    assert read_dmi(tmp_path) == {"product_serial": "ABC123", "sys_vendor": "QEMU"}


def test_cpu_and_memory() -> None:
    cpuinfo = (RECORDED / "cpuinfo").read_text()
    assert parse_cpu(cpuinfo) == ("QEMU TCG CPU version 2.5+", 1, True)
    assert parse_cpu(cpuinfo.replace(" svm ", " ")) == ("QEMU TCG CPU version 2.5+", 1, False)
    assert parse_memory_mib("MemTotal:        2012792 kB\nMemFree: 1 kB\n") == 1965
    with pytest.raises(SlipwayError):
        parse_memory_mib("")


def test_physical_links_only(tmp_path: Path) -> None:
    devices = parse_database((RECORDED / "udev.txt").read_text())
    assert {"lo", "enp0s2"} <= {device.properties.get("INTERFACE") for device in devices}
    folder = tmp_path / "class/net/enp0s2"
    _write(folder / "address", b"52:54:00:12:34:56\n")
    _write(folder / "carrier", b"1\n")
    _write(folder / "speed", b"1000\n")

    (link,) = read_interfaces(devices, tmp_path)

    assert (link.name, link.mac, link.driver) == ("enp0s2", "52:54:00:12:34:56", "e1000e")
    assert (link.link_up, link.speed_mbit) == (True, 1000)
    assert link.pci_path == "pci-0000:00:02.0"


def test_a_link_that_is_down_tells_nothing(tmp_path: Path) -> None:
    devices = parse_database((RECORDED / "udev.txt").read_text())
    _write(tmp_path / "class/net/enp0s2/speed", b"-1\n")
    (link,) = read_interfaces(devices, tmp_path)
    assert (link.link_up, link.speed_mbit) == (None, None)


def test_leases() -> None:
    shown = (RECORDED / "nmcli.txt").read_text()
    lease = Lease(interface="enp0s2", address="10.0.2.15/24", gateway="10.0.2.2", dns=("10.0.2.3",))
    assert parse_leases(shown) == (lease,)
    named = shown.replace(
        "DHCP4.OPTION[7]:next_server = 10.0.2.2",
        "DHCP4.OPTION[7]:host_name = node1\nDHCP4.OPTION[99]:domain_name = example.org",
    )
    assert parse_leases(named) == (
        lease.model_copy(update={"hostname": "node1", "domain": "example.org"}),
    )
    assert parse_leases("") == ()


def test_an_address_from_ipv6_counts_where_there_is_no_other_lease() -> None:
    shown = """\
GENERAL.DEVICE:eno1
GENERAL.IS-SOFTWARE:no
IP6.ADDRESS[1]:fe80::1/64
IP6.ADDRESS[2]:2001:db8::5/64
IP6.GATEWAY:fe80::fe
IP6.DNS[1]:2001:db8::1
IP6.DOMAIN[1]:example.org
"""
    assert parse_leases(shown) == (
        Lease(
            interface="eno1",
            address="2001:db8::5/64",
            gateway="fe80::fe",
            dns=("2001:db8::1",),
            domain="example.org",
        ),
    )


def test_this_machine_can_be_probed() -> None:
    found = probe()
    assert found.memory_mib > 0
    assert found == type(found).model_validate_json(found.model_dump_json())
