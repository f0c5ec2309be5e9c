"""From the ISO to a node that is ready, in BIOS and in UEFI: what the node is then."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

import pytest

from agent import stack
from tests.lab import iso
from tests.lab.answers import ADDRESS, DNS, FQDN, GATEWAY, PASSWORD
from tests.lab.conftest import RunningNode
from tests.lab.install import LOGIN_LIMIT, WEB_PORT, wait_until_ready

pytestmark = pytest.mark.lab

STACK = stack.load(iso.CHECKOUT / "image" / "stacks" / "kvm-ha.toml")
# KiB, worked out by hand with the Proxmox installer's arithmetic: a disk of 40 GiB, 512 MiB ESP,
# 2 GiB of memory or a little less.
VOLUMES = {"swap": 2097152, "root": 19656704, "data": 12447744, "images": 12447744}
METADATA = 1048576


def status(node: RunningNode) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(node.ssh.output("slipway", "status", "--json"))
    return answer


def test_the_agent_is_ready(node: RunningNode) -> None:
    reached = status(node)
    assert reached["ready"] is True and reached["stage"] == "ready"
    assert reached["unmet"] == []
    assert {step["state"] for step in reached["steps"].values()} == {"done"}
    assert reached["node"]["fqdn"] == FQDN


def test_the_firmware_is_the_one_that_was_installed_for(node: RunningNode) -> None:
    uefi = node.ssh.run(["test", "-d", "/sys/firmware/efi"], check=False).status == 0
    assert uefi is (node.installed.spec.firmware == "uefi")


def test_volume_group_and_thin_pool(node: RunningNode) -> None:
    columns = "vg_name,lv_name,lv_size,segtype,lv_metadata_size"
    options = ["--reportformat", "json", "--units", "k", "--nosuffix", "-o", columns]
    volumes = json.loads(node.ssh.output("lvs", *options))["report"][0]["lv"]
    assert {volume["vg_name"] for volume in volumes} == {"slipway"}
    assert {volume["lv_name"]: float(volume["lv_size"]) for volume in volumes} == VOLUMES
    pool = next(volume for volume in volumes if volume["lv_name"] == "data")
    assert pool["segtype"] == "thin-pool"
    assert float(pool["lv_metadata_size"]) == METADATA


def test_root_and_boot_partitions(node: RunningNode) -> None:
    assert node.ssh.output("findmnt", "-no", "SOURCE,FSTYPE", "/").split() == [
        "/dev/mapper/slipway-root",
        "ext4",
    ]
    found = json.loads(node.ssh.output("lsblk", "--json", "--bytes", "-o", "NAME,PARTTYPE,SIZE"))
    disk = next(device for device in found["blockdevices"] if device["name"] == "vda")
    types = [part["parttype"] for part in disk["children"]]
    assert types == [
        "21686148-6449-6e6f-744e-656564454649",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "e6d6d379-f507-44c2-a23c-238f2a3df928",
    ]
    assert disk["children"][1]["size"] == 512 << 20


def test_address_and_routes(node: RunningNode) -> None:
    links = json.loads(node.ssh.output("ip", "-json", "-4", "address", "show", "dev", "vmbr0"))
    addresses = [f"{item['local']}/{item['prefixlen']}" for item in links[0]["addr_info"]]
    assert addresses == [ADDRESS]
    routes = json.loads(node.ssh.output("ip", "-json", "-4", "route", "show", "default"))
    assert [(route["gateway"], route["dev"]) for route in routes] == [(GATEWAY, "vmbr0")]
    assert f"nameserver {DNS}" in node.ssh.output("cat", "/etc/resolv.conf").splitlines()


def test_the_node_knows_its_name(node: RunningNode) -> None:
    address = ADDRESS.partition("/")[0]
    assert node.ssh.output("hostname", "-f") == FQDN
    assert node.ssh.output("hostname") == FQDN.partition(".")[0]
    for name in (FQDN, FQDN.partition(".")[0]):
        found = node.ssh.output("getent", "ahosts", name).splitlines()
        assert {line.split()[0] for line in found} == {address}


def test_locale_time_zone_and_identity(node: RunningNode) -> None:
    assert node.ssh.output("readlink", "-f", "/etc/localtime").endswith("/Europe/Berlin")
    assert len(node.ssh.output("cat", "/etc/machine-id")) == 32
    keys = node.ssh.output("sh", "-c", "ls /etc/ssh/ssh_host_*_key").splitlines()
    assert any("ed25519" in path for path in keys)


def test_units_of_every_role_are_active(node: RunningNode) -> None:
    units = [unit for role in STACK.roles for unit in role.units]
    lines = node.ssh.run(["systemctl", "is-active", *units], check=False).stdout.split()
    states = dict(zip(units, lines, strict=True))
    assert {unit for unit, state in states.items() if state != "active"} == set()


def test_no_unit_failed(node: RunningNode) -> None:
    listing = ["systemctl", "list-units", "--failed", "--plain", "--no-legend"]
    assert node.ssh.output(*listing) == ""


def test_the_web_page_answers(node: RunningNode) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port = node.installed.spec.forwarded(WEB_PORT)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200
        assert b"cockpit" in response.read().lower()
    finally:
        connection.close()


def test_libvirt_and_its_pool(node: RunningNode) -> None:
    virsh = ("virsh", "-c", "qemu:///system")
    pools = [probe.name for role in STACK.roles for probe in role.probes if probe.kind == "pool"]
    active = node.ssh.output(*virsh, "pool-list", "--name").split()
    assert pools and set(pools) <= set(active)
    assert node.ssh.output(*virsh, "list", "--all", "--name") == ""


def test_hardware_virtualization_is_reported(node: RunningNode) -> None:
    there = node.ssh.run(["test", "-e", "/dev/kvm"], check=False).status == 0
    assert status(node)["node"]["kvm"] == ("present" if there else "absent")


def test_root_logs_in_at_the_console(node: RunningNode) -> None:
    serial = node.machine.serial
    serial.log_in("root", PASSWORD, 60)
    code, output = serial.run("hostname -f", 60)
    serial.send("exit\n")
    assert (code, output[-1]) == (0, FQDN)


def test_a_reboot_changes_nothing(node: RunningNode) -> None:
    before = status(node)
    boot = node.ssh.output("cat", "/proc/sys/kernel/random/boot_id")
    node.ssh.run(["systemctl", "reboot"], check=False)
    node.machine.wait_for_reset(180)
    wait_until_ready(node.machine)
    node.ssh.wait_until_up(LOGIN_LIMIT)
    after = status(node)
    assert node.ssh.output("cat", "/proc/sys/kernel/random/boot_id") != boot
    assert after["ready"] is True
    assert acted(after) == acted(before)
    assert sum(acted(before).values()) > 0


def acted(reached: dict[str, Any]) -> dict[str, int]:
    """How often each step changed the node in its whole life."""
    return {name: step["acted"] for name, step in reached["steps"].items()}
