"""Every file of the node: what it says, and that no value can say anything else in it."""

from __future__ import annotations

import shlex
import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config import Cluster, LvmThin, NodeConfig
from agent.core.errors import SlipwayError
from installer.answers.schema import Answer
from installer.plan.files import plan_files
from installer.plan.keyboard import xkb_keyboard
from installer.plan.model import PlannedFile, StoragePlan
from tests.unit.network.machines import STATIC, plan, static

STORAGE = StoragePlan(
    disks=(),
    prepare=(),
    kernel_root=("root=/dev/mapper/slipway-root",),
    fstab=(
        ("/dev/mapper/slipway-root", "/", "ext4", "errors=remount-ro", 0, 1),
        ("/dev/mapper/slipway-swap", "none", "swap", "sw", 0, 0),
    ),
    esps=(("/dev/sda", "/dev/sda2", "ABCD-0123"),),
    guests=LvmThin(volume_group="slipway", thin_pool="data"),
    zfs_arc_max_bytes=0,
    summary="",
)
PARAMETERS = ("root=/dev/mapper/slipway-root", "ro", "console=ttyS0,115200")
KEY = 'restrict,command="echo \\"&\\" $HOME" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a & b'
GLOBAL: dict[str, Any] = {
    "country": "at",
    "fqdn": "node1.example.com",
    "keyboard": "fr-ch",
    "mailto": "admin&root@example.com",
    "timezone": "Europe/Vienna",
    "root-password": "correct horse",
}


def answer(*, global_: dict[str, Any] | None = None, **tables: Any) -> Answer:
    return Answer.model_validate(
        {
            "global": GLOBAL | (global_ or {}),
            "network": STATIC,
            "disk-setup": {"filesystem": "ext4", "disk-list": ["sda"]},
            **tables,
        }
    )


def files(made: Answer, storage: StoragePlan = STORAGE) -> dict[str, PlannedFile]:
    return {
        file.path: file for file in plan_files(made, plan(static()), storage, Cluster(), PARAMETERS)
    }


def test_the_files_of_a_plain_node() -> None:
    made = files(answer())
    assert list(made) == sorted(
        [
            "/etc/NetworkManager/conf.d/slipway.conf",
            "/etc/NetworkManager/system-connections/eno1.nmconnection",
            "/etc/NetworkManager/system-connections/vmbr0.nmconnection",
            "/etc/aliases",
            "/etc/default/keyboard",
            "/etc/fstab",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/locale.conf",
            "/etc/localtime",
            "/etc/resolv.conf",
            "/etc/slipway/node.toml",
            "/etc/ssh/sshd_config.d/slipway.conf",
        ]
    )
    assert made["/etc/fstab"].content.splitlines()[1:] == [
        "/dev/mapper/slipway-root / ext4 errors=remount-ro 0 1",
        "/dev/mapper/slipway-swap none swap sw 0 0",
    ]
    assert made["/etc/localtime"].link_target == "/usr/share/zoneinfo/Europe/Vienna"
    assert made["/etc/locale.conf"].content == "LANG=en_US.UTF-8\n"
    assert "\nPermitRootLogin yes\n" in made["/etc/ssh/sshd_config.d/slipway.conf"].content
    assert made["/etc/aliases"].content.splitlines()[-1] == "root: admin&root@example.com"


def test_password_is_in_no_file() -> None:
    hashed = answer(global_={"root-password-hashed": "$y$j9T$s$h", "root-password": None})
    for made in (files(answer()), files(hashed)):
        for file in made.values():
            assert "correct horse" not in file.content
            assert "$y$" not in file.content


def test_node_configuration_is_what_the_agent_reads() -> None:
    content = files(answer())["/etc/slipway/node.toml"].content
    config = NodeConfig.model_validate(tomllib.loads(content))
    assert config.fqdn == "node1.example.com"
    assert config.management_interface == "vmbr0"
    assert config.storage == STORAGE.guests
    assert config.boot.esps == ("ABCD-0123",)
    assert config.boot.kernel_parameters == PARAMETERS


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)))
def test_any_kernel_parameter_reaches_the_configuration(parameters: list[str]) -> None:
    made = plan_files(answer(), plan(static()), STORAGE, Cluster(), tuple(parameters))
    content = next(file.content for file in made if file.path == "/etc/slipway/node.toml")
    assert tomllib.loads(content)["boot"]["kernel_parameters"] == parameters


def test_ssh_keys_reach_the_file_unchanged() -> None:
    made = files(
        answer(
            global_={"root-ssh-keys": [KEY, "ssh-rsa AAAA x"]},
            users=[{"name": "ann", "ssh-keys": [KEY]}, {"name": "bob", "password": "12345678"}],
        )
    )
    root, ann = made["/root/.ssh/authorized_keys"], made["/home/ann/.ssh/authorized_keys"]
    assert root.content == f"{KEY}\nssh-rsa AAAA x\n"
    assert (root.mode, root.owner) == ("0600", "root")
    assert (ann.content, ann.mode, ann.owner) == (f"{KEY}\n", "0600", "ann")
    assert "/home/bob/.ssh/authorized_keys" not in made


def test_administrators_without_a_password_need_none_for_sudo() -> None:
    keys = {"ssh-keys": [KEY]}
    made = files(
        answer(
            users=[
                {"name": "ann", "groups": ["libvirt", "sudo"], **keys},
                {"name": "bob", "groups": ["sudo"], "password": "12345678", **keys},
                {"name": "cat", "groups": ["libvirt"], **keys},
                {"name": "dan", "groups": ["sudo"], "password-hashed": "$y$j9T$s$h"},
            ]
        )
    )
    sudoers = made["/etc/sudoers.d/slipway"]
    assert sudoers.mode == "0440"
    assert sudoers.content.splitlines()[1:] == ["ann ALL=(ALL:ALL) NOPASSWD: ALL"]
    assert "/etc/sudoers.d/slipway" not in files(answer(users=[{"name": "cat", **keys}]))


@pytest.mark.parametrize("mailto", ["|reboot@example.com", "/etc/shadow@example.com"])
def test_mail_address_that_is_a_command(mailto: str) -> None:
    with pytest.raises(SlipwayError, match="would run a program"):
        files(answer(global_={"mailto": mailto}))


def test_time_servers() -> None:
    made = files(answer(system={"ntp-servers": ["192.0.2.5", "ntp.example.com"]}))
    lines = made["/etc/chrony/chrony.conf"].content.splitlines()
    sources = [line for line in lines if line.split()[:1] in (["server"], ["pool"])]
    assert sources == ["server 192.0.2.5 iburst", "server ntp.example.com iburst"]
    # Those of a DHCP lease are not asked either.
    assert "/run/" not in made["/etc/chrony/chrony.conf"].content


def test_proxy_cannot_end_its_string() -> None:
    made = files(answer(system={"proxy": 'http://proxy.example.com:3128/";Evil"1'}))
    content = made["/etc/apt/apt.conf.d/90slipway-proxy"].content
    assert content.splitlines() == [
        f'Acquire::{kind}::Proxy "http://proxy.example.com:3128/%22;Evil%221";'
        for kind in ("http", "https")
    ]


def test_memory_of_the_zfs_cache() -> None:
    limited = STORAGE.model_copy(update={"zfs_arc_max_bytes": 512 << 20})
    content = files(answer(), limited)["/etc/modprobe.d/zfs.conf"].content
    assert content.splitlines()[-1] == "options zfs zfs_arc_max=536870912"


def test_swiss_keyboard() -> None:
    content = files(answer())["/etc/default/keyboard"].content
    values = dict(line.split("=", 1) for line in shlex.split(content, comments=True))
    assert values == {
        "XKBMODEL": "pc105",
        "XKBLAYOUT": "ch",
        "XKBVARIANT": "fr",
        "XKBOPTIONS": "",
        "BACKSPACE": "guess",
    }


def test_every_keyboard_code_is_known_to_xkb() -> None:
    """The names are checked against the rules of xkb-data 2.42 (Debian 13)."""
    layouts = "be br ca ch de dk es fi fr gb hu is it jp lt mk nl no pl pt se si tr us".split()
    codes = Answer.model_json_schema()["$defs"]["Global"]["properties"]["keyboard"]["enum"]
    assert len(codes) == 25
    used = {name for code in codes for name in xkb_keyboard(code).layout.split(",")}
    assert used == set(layouts)
