"""Networks of guests and what keeps them apart, on a node with LVM and on one with ZFS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.containers import LIMITS, Containers
from tests.lab.host import Host
from tests.unit.templates.server import serving

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

# Where the node finds this host's loopback address, through its gateway.
OUTSIDE = "10.0.2.2"
QUIET = ("ipv4.method", "disabled", "ipv6.method", "disabled")


@pytest.fixture
def nat(host: Host) -> Iterator[None]:
    """libvirt's network behind NAT."""
    host.guests.virsh("net-start", "default")
    yield
    host.guests.virsh("net-destroy", "default")


@pytest.mark.usefixtures("nat")
def test_a_machine_behind_nat_gets_an_address(host: Host, other: list[str]) -> None:
    other.append("inside")
    host.guests.create("inside", "size=0.25", network="network=default")
    host.guests.run("inside", "ipconfig -c dhcp eth0 >/dev/null")
    leased = host.guests.virsh("domifaddr", "inside").split()
    assert leased[-1].startswith("192.168.122.")


@pytest.mark.usefixtures("nat")
def test_a_container_behind_nat_gets_out(host: Host) -> None:
    containers = Containers(host.ssh)
    containers.create("inside", *LIMITS, "--bridge", "virbr0")
    try:
        containers.slipway("start", "inside")
        assert containers.wait_for_address("inside").startswith("192.168.122.")
        with serving() as server:
            server.content["word"] = b"outside"
            port = server.address.rpartition(":")[2]
            asks = f"exec 3<>/dev/tcp/{OUTSIDE}/{port}; printf 'GET /word HTTP/1.0\\n\\n' >&3"
            said = containers.inside("inside", "bash", "-c", f"{asks}; cat <&3").stdout
        assert said.endswith("outside")
    finally:
        containers.discard("inside")


def test_a_bridge_that_knows_vlans(host: Host, other: list[str]) -> None:
    """The node's link in VLAN 20 reaches the guest in it, and not the one in VLAN 30."""
    bridge = ("type", "bridge", "ifname", "vmbr7", "con-name", "vmbr7", "bridge.stp", "no")
    aware = ("bridge.vlan-filtering", "yes", "bridge.vlans", "20")
    host.run("nmcli", "connection", "add", *bridge, *aware, *QUIET)
    link = ("type", "vlan", "ifname", "vmbr7.20", "con-name", "vmbr7.20", "dev", "vmbr7")
    address = ("ipv4.method", "manual", "ipv4.addresses", "10.20.0.1/24")
    host.run("nmcli", "connection", "add", *link, "id", "20", *address, "ipv6.method", "disabled")
    for number in (20, 30):
        name = f"vlan{number}"
        other.append(name)
        tag = f"xpath1.set=./vlan/tag/@id,xpath1.value={number}"
        host.guests.create(name, "size=0.25", network=f"bridge=vmbr7,{tag}")
        set_address(host, name, f"10.20.0.{number}")
    assert reaches(host, "10.20.0.20")
    assert not reaches(host, "10.20.0.30")
    for connection in ("vmbr7.20", "vmbr7"):
        host.run("nmcli", "connection", "delete", connection)


OVS_NETWORK = """<network><name>ovs</name><forward mode='bridge'/><bridge name='vmbr8'/>
<virtualport type='openvswitch'/>
<portgroup name='vlan20'><vlan><tag id='20'/></vlan></portgroup></network>"""


def test_open_vswitch(host: Host, other: list[str]) -> None:
    host.run("systemctl", "enable", "--now", "openvswitch-switch.service")
    port = ("add-port", "vmbr8", "vlan20", "tag=20", "--", "set", "interface", "vlan20")
    host.run("ovs-vsctl", "add-br", "vmbr8", "--", *port, "type=internal")
    host.run("ip", "address", "add", "10.21.0.1/24", "dev", "vlan20")
    host.run("ip", "link", "set", "vlan20", "up")
    host.ssh.run(["virsh", "net-define", "/dev/stdin"], input=OVS_NETWORK)
    host.guests.virsh("net-start", "ovs")
    other.append("switched")
    host.guests.create("switched", "size=0.25", network="network=ovs,portgroup=vlan20")
    set_address(host, "switched", "10.21.0.2")
    assert reaches(host, "10.21.0.2")
    host.run("ovs-vsctl", "set", "port", "vlan20", "tag=21")
    assert not reaches(host, "10.21.0.2")
    host.guests.virsh("net-destroy", "ovs")
    host.guests.virsh("net-undefine", "ovs")
    host.run("ovs-vsctl", "del-br", "vmbr8")
    host.run("systemctl", "disable", "--now", "openvswitch-switch.service")


def test_the_firewall_of_a_guest(host: Host, other: list[str]) -> None:
    """The guest may have one address, and not take another."""
    host.run("ip", "address", "add", "10.22.0.1/24", "dev", "vmbr0")
    other.append("filtered")
    own = "xpath1.set=./filterref/parameter/@name,xpath1.value=IP"
    address = "xpath2.set=./filterref/parameter/@value,xpath2.value=10.22.0.2"
    network = f"bridge=vmbr0,filterref.filter=clean-traffic,{own},{address}"
    host.guests.create("filtered", "size=0.25", network=network)
    set_address(host, "filtered", "10.22.0.2")
    assert reaches(host, "10.22.0.2")
    set_address(host, "filtered", "10.22.0.3")
    assert not reaches(host, "10.22.0.3")
    host.run("ip", "address", "del", "10.22.0.1/24", "dev", "vmbr0")


BOND = ("type", "bond", "ifname", "bond9", "con-name", "bond9")
BOND_OPTIONS = ("bond.options", "mode=active-backup,miimon=100")
LEGS = ("leg1", "leg2")


@pytest.fixture
def bond(host: Host) -> Iterator[None]:
    """The bridge vmbr9 over the bond bond9, whose two cables end in a switch, `far`.

    The switch is a bridge of the node, and the node's address 10.23.0.1 is behind it.
    """
    add = ("nmcli", "connection", "add")
    bridge = ("type", "bridge", "ifname", "vmbr9", "con-name", "vmbr9", "bridge.stp", "no")
    host.run(*add, *bridge, *QUIET)
    host.run(*add, *BOND, *BOND_OPTIONS, "master", "vmbr9")
    host.run("ip", "link", "add", "far", "type", "bridge")
    host.run("ip", "address", "add", "10.23.0.1/24", "dev", "far")
    host.run("ip", "link", "set", "far", "up")
    for leg in LEGS:
        host.run("ip", "link", "add", leg, "type", "veth", "peer", "name", f"{leg}-far")
        host.run("ip", "link", "set", f"{leg}-far", "master", "far", "up")
        host.run(*add, "type", "ethernet", "ifname", leg, "con-name", leg, "master", "bond9")
        host.run("nmcli", "device", "set", leg, "managed", "yes")
        host.run("nmcli", "connection", "up", leg)
    yield
    for connection in (*LEGS, "bond9", "vmbr9"):
        host.run("nmcli", "connection", "delete", connection)
    for leg in LEGS:
        host.run("ip", "link", "delete", leg)
    host.run("ip", "link", "delete", "far")


@pytest.mark.usefixtures("bond")
def test_a_bond_below_the_bridge(host: Host, other: list[str]) -> None:
    """The guest stays within reach when the cable that the bond uses is pulled."""
    other.append("bonded")
    host.guests.create("bonded", "size=0.25", network="bridge=vmbr9")
    set_address(host, "bonded", "10.23.0.2")
    assert reaches(host, "10.23.0.2")
    used = host.run("cat", "/sys/class/net/bond9/bonding/active_slave")
    host.run("ip", "link", "set", f"{used}-far", "down")
    host.until(
        lambda: host.run("cat", "/sys/class/net/bond9/bonding/active_slave") not in ("", used)
        or None,
        30,
        "the other cable",
        where="bond9",
    )
    assert reaches(host, "10.23.0.2")
    for leg in LEGS:
        host.run("ip", "link", "set", f"{leg}-far", "down")
    assert not reaches(host, "10.23.0.2")


# As docs/guests.md has it, with another rule.
NODE_RULES = """table inet own
delete table inet own
table inet own {
    chain input {
        type filter hook input priority 0;
        ip protocol icmp ip saddr 10.24.0.2 drop
    }
}
"""


def test_the_firewall_of_the_node(host: Host, other: list[str]) -> None:
    """What the node drops does not come; the tables of libvirt and LXC stay."""
    host.run("ip", "address", "add", "10.24.0.1/24", "dev", "vmbr0")
    other.append("outside")
    host.guests.create("outside", "size=0.25")
    set_address(host, "outside", "10.24.0.2")
    assert reaches(host, "10.24.0.2")
    before = set(host.run("nft", "list", "tables").splitlines())
    host.run("cp", "/etc/nftables.conf", "/root/nftables.conf")
    host.ssh.run(["tee", "/etc/nftables.conf"], input=NODE_RULES)
    host.run("systemctl", "enable", "--now", "nftables")
    host.run("systemctl", "reload", "nftables")
    try:
        assert not reaches(host, "10.24.0.2")
        assert host.run("nft", "list", "table", "inet", "own").count("drop") == 1
        now = set(host.run("nft", "list", "tables").splitlines())
        assert now == before | {"table inet own"}
    finally:
        host.run("cp", "/root/nftables.conf", "/etc/nftables.conf")
        host.run("systemctl", "disable", "nftables")
        host.run("nft", "delete", "table", "inet", "own")
        host.run("ip", "address", "del", "10.24.0.1/24", "dev", "vmbr0")


def set_address(host: Host, guest: str, address: str) -> None:
    word = f"{address}::::{guest}:eth0:none"
    host.guests.run(guest, f"ipconfig -c none {word} >/dev/null")


def reaches(host: Host, address: str) -> bool:
    ping = ["ping", "-c", "3", "-W", "2", address]
    return host.ssh.run(ping, check=False).status == 0
