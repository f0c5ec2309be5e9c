"""Each step by itself: what it sees, what it does, what it proves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import hypervisor, stack, systemd
from agent.config import Boot, Directory, GuestStorage, LvmThin, NodeConfig, Zfs
from agent.core.command import Result
from agent.core.errors import CommandFailed
from agent.disk.model import DiskSet, Member
from agent.stack import Role, Stack, TcpProbe
from agent.step import Retry, WaitForOperator
from agent.steps import all_steps, data_pools, network, storage
from agent.steps.network import Network
from agent.steps.secrets import Secrets
from agent.steps.services import Services
from agent.steps.storage import Storage, backing_store_exists
from agent.steps.time import Time
from agent.storages import zvols
from agent.systemd import Systemd
from tests.unit.agent.fake_services import FakeUnit, Machine

SHIPPED = Path(__file__).parents[3] / "image" / "stacks" / "kvm-ha.toml"


@pytest.fixture
def manager(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setattr(systemd, "POLL_SECONDS", 0.001)
    return Systemd(lambda: machine.bus)


def test_the_order_of_steps() -> None:
    config = NodeConfig(
        fqdn="node1.example.org",
        storage=LvmThin(volume_group="pve"),
        boot=Boot(esps=(), kernel_parameters=()),
    )
    steps = all_steps(config, stack.load(SHIPPED))
    names = [
        "network",
        "time",
        "storage",
        "storages",
        "cluster",
        "services",
        "templates",
        "secrets",
    ]
    assert [step.name for step in steps] == names
    assert set(steps[-1].needs) == {step.name for step in steps[:-1]}
    assert len({step.checksum() for step in steps}) == len(steps)


def test_network_waits_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(["", "", "192.0.2.10"])
    monkeypatch.setattr(network, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(network, "address_of", lambda _interface: next(addresses))
    step = Network("vmbr0")
    assert step.observe() == ()
    assert step.prove() == ""
    assert list(addresses) == []


def test_network_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(network, "address_of", lambda _interface: "")
    with pytest.raises(Retry, match="vmbr0 has no address"):
        Network("vmbr0").prove()


def time_step(manager: Systemd, *, synchronized: bool, required: bool) -> Time:
    return Time(manager, lambda: synchronized, required=required, wait_seconds=0.0)


def test_time_starts_chrony(machine: Machine, manager: Systemd) -> None:
    machine.systemd.fakes["chrony.service"] = FakeUnit(enabled="disabled")
    step = time_step(manager, synchronized=True, required=True)
    assert len(step.observe()) == 2
    step.act()
    assert step.prove() == ""
    assert step.observe() == ()


def test_only_a_cluster_needs_a_synchronized_clock(machine: Machine, manager: Systemd) -> None:
    machine.systemd.fakes["chrony.service"] = FakeUnit("active")
    alone = time_step(manager, synchronized=False, required=False)
    assert alone.prove() == "the clock is not synchronized yet"
    with pytest.raises(Retry, match="a cluster needs it"):
        time_step(manager, synchronized=False, required=True).prove()


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address: tuple[str, int] = listening.getsockname()
        yield address


def services(manager: Systemd, *probes: TcpProbe) -> Services:
    roles = (
        Role(name="base", summary="", packages=(), units=("a.service",), probes=()),
        Role(name="web", summary="", packages=(), units=("b.socket",), probes=probes),
        Role(name="cluster", summary="", packages=(), units=(), probes=()),
    )
    return Services(
        Stack(name="s", summary="", suite="trixie", components=(), kernel="", roles=roles), manager
    )


def test_services_start_all_roles_and_prove_them(
    machine: Machine, manager: Systemd, server: tuple[str, int]
) -> None:
    machine.systemd.fakes = {"a.service": FakeUnit(), "b.socket": FakeUnit(enabled="disabled")}
    step = services(manager, TcpProbe(kind="tcp", address=server[0], port=server[1]))
    assert len(step.observe()) == 3
    step.act()
    assert step.prove() == ""
    assert step.observe() == ()


def test_services_wait_for_their_units(machine: Machine, manager: Systemd) -> None:
    machine.systemd.fakes = {"a.service": FakeUnit(starts_as="failed"), "b.socket": FakeUnit()}
    step = services(manager)
    step.act()
    with pytest.raises(Retry, match="^a.service is failed"):
        step.prove()


def test_services_name_the_role_that_does_not_answer(machine: Machine, manager: Systemd) -> None:
    machine.systemd.fakes = {"a.service": FakeUnit("active"), "b.socket": FakeUnit("active")}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    step = services(manager, TcpProbe(kind="tcp", address="127.0.0.1", port=port))
    with pytest.raises(Retry, match=f"^web: 127.0.0.1 port {port} does not answer"):
        step.prove()


class FakePools:
    """libvirt as the storage step uses it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pools: dict[str, GuestStorage] = {}
        monkeypatch.setattr(hypervisor, "pool_missing", self.missing)
        monkeypatch.setattr(hypervisor, "register", self.pools.__setitem__)

    def missing(self, name: str) -> tuple[str, ...]:
        return () if name in self.pools else (f"the pool {name} is not defined",)


def test_storage_registers_with_libvirt_and_lxc(
    machine: Machine, manager: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = FakePools(monkeypatch)
    monkeypatch.setattr(storage, "find_sets", lambda: ())
    machine.systemd.fakes["libvirtd.socket"] = FakeUnit(enabled="disabled")
    configuration = tmp_path / "lxc.conf"
    step = Storage(Directory(path=tmp_path), {}, manager, lxc_configuration=configuration)
    # As long as libvirt does not listen, it is not asked.
    assert [line.split()[0] for line in step.observe()] == [
        "libvirtd.socket",
        "libvirtd.socket",
        str(configuration),
    ]
    step.act()
    assert step.observe() == ()
    assert step.prove() == ""
    assert pools.pools == {"local": Directory(path=tmp_path)}
    configuration.write_text("edited")
    assert step.observe() == (f"{configuration} is not what it should be",)


def test_an_extra_pool_is_attached_and_registered(
    machine: Machine, manager: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = FakePools(monkeypatch)
    imported: list[str] = []

    def run(words: list[str], *, check: bool = True) -> Result:
        if words[:2] == ["zpool", "import"]:
            imported.append(words[2])
        known = words[0] == "zfs" or words[-1] in imported
        return Result(tuple(words), 0 if known else 1, "", "")

    thin: list[str] = []
    monkeypatch.setattr(data_pools, "run", run)
    monkeypatch.setattr(storage, "run", run)
    monkeypatch.setattr(storage, "find_sets", lambda: (mirror_without_a_disk(),))
    monkeypatch.setattr(zvols, "are_thin", thin.__contains__)
    monkeypatch.setattr(zvols, "make_thin", thin.append)
    machine.systemd.fakes["libvirtd.socket"] = FakeUnit("active")
    tank = Zfs(dataset="tank")
    configuration = tmp_path / "lxc.conf"
    step = Storage(
        Directory(path=tmp_path), {"tank": tank}, manager, lxc_configuration=configuration
    )
    assert "the pool tank is not attached" in step.observe()
    assert "volumes of tank are not thin" in step.observe()
    step.act()
    assert step.observe() == ()
    assert imported == ["tank"]
    assert pools.pools == {"local": Directory(path=tmp_path), "tank": tank}
    assert step.prove() == "zfs tank is degraded (1 of 2 disks)"


def mirror_without_a_disk() -> DiskSet:
    good = Member("1", "/dev/sda1", "/dev/sda", good=True)
    return DiskSet("zfs", "tank", (good, Member("2", "/dev/sdb1", "", good=False)))


def test_a_pool_whose_disks_are_gone_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(words: list[str]) -> Result:
        raise CommandFailed(tuple(words), 1, "cannot import 'tank': no such pool available")

    monkeypatch.setattr(data_pools, "run", run)
    with pytest.raises(WaitForOperator, match="no such pool available"):
        data_pools.attach(Zfs(dataset="tank"))


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        (
            LvmThin(volume_group="pve", thin_pool="data"),
            ["lxc.bdev.lvm.vg = pve", "lxc.bdev.lvm.thin_pool = data"],
        ),
        (LvmThin(volume_group="pve"), ["lxc.bdev.lvm.vg = pve"]),
        (Zfs(dataset="rpool/data"), ["lxc.bdev.zfs.root = rpool/data"]),
        (Directory(path=Path("/srv")), []),
    ],
)
def test_the_default_backing_store_of_lxc(
    kind: LvmThin | Zfs | Directory, lines: list[str]
) -> None:
    text = Storage(kind, {}, Systemd()).lxc_text
    assert [line for line in text.splitlines() if not line.startswith("#")] == lines


def test_storage_that_is_gone_waits_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(WaitForOperator, match="missing") as caught:
        Storage(Directory(path=tmp_path / "gone"), {}, Systemd()).prove()
    assert "systemctl restart slipway-agent" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("kind", "argv", "answer", "exists"),
    [
        (LvmThin(volume_group="pve"), ["vgs", "pve"], (0, ""), True),
        (LvmThin(volume_group="pve"), ["vgs", "pve"], (5, ""), False),
        (
            LvmThin(volume_group="pve", thin_pool="data"),
            ["lvs", "--noheadings", "--options", "segtype", "pve/data"],
            (0, "  thin-pool\n"),
            True,
        ),
        (
            LvmThin(volume_group="pve", thin_pool="data"),
            ["lvs", "--noheadings", "--options", "segtype", "pve/data"],
            (0, "  linear\n"),
            False,
        ),
        (
            Zfs(dataset="rpool/data"),
            ["zfs", "list", "-H", "-o", "name", "rpool/data"],
            (1, ""),
            False,
        ),
    ],
)
def test_the_backing_store_is_looked_for(
    kind: LvmThin | Zfs,
    argv: list[str],
    answer: tuple[int, str],
    exists: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []

    def run(words: list[str], *, check: bool) -> Result:
        asked.append(words)
        return Result(tuple(words), answer[0], answer[1], "")

    monkeypatch.setattr(storage, "run", run)
    assert backing_store_exists(kind) is exists
    assert asked == [argv]


def test_secrets_are_erased(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "token").write_text("x")
    step = Secrets(needs=("services",), folder=folder)
    assert step.observe() == (f"{folder} still exists",)
    step.act()
    assert step.prove() == ""
    assert step.observe() == ()
    assert list(tmp_path.iterdir()) == []
