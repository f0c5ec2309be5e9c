"""The search as a whole: real files, a real volume, real servers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.command import run
from agent.core.errors import CommandFailed
from installer.answers import sources
from installer.answers.discovery import Hint, look_up_records, parse_dhcp_options
from installer.answers.identity import identity
from installer.answers.places import SourceError
from installer.answers.problems import AnswerError
from installer.answers.sources import Surroundings, find_answer, find_label
from installer.inventory.model import Disk, Firmware, Inventory, NetworkInterface
from installer.web import Patience
from tests.unit.answers.files import MINIMAL_TOML
from tests.unit.answers.servers import name_server, reply, serving

ANSWER = MINIMAL_TOML.encode()
DIGEST = hashlib.sha256(ANSWER).hexdigest()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Surroundings]:
    """A machine with this kernel command line and nothing else."""

    def make(parameters: str = "") -> Surroundings:
        (tmp_path / "cmdline").write_text(f"quiet {parameters}\n")
        (tmp_path / "labels").mkdir()
        return Surroundings(
            command_line=tmp_path / "cmdline",
            labels=tmp_path / "labels",
            identity=dict,
            dhcp=lambda: None,
            dns=lambda: None,
            patience=Patience(total=5, attempt=5, first=0.001, longest=0.01),
        )

    return make


def test_finds_nothing_and_says_where_it_looked(
    machine: Callable[..., Surroundings], told: list[str]
) -> None:
    assert find_answer(told.append, machine()) is None
    assert told == [
        "no answer file: a volume labelled SLIPWAY not found",
        "no answer file: /run/live/medium/slipway/answer.toml not found",
        "no answer file: DHCP option 250 not found",
        "no answer file: DNS TXT records not found",
    ]


def test_takes_a_file_that_the_command_line_names(
    machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_bytes(ANSWER)
    parameters = f"slipway.answer=file://{tmp_path}/a.toml slipway.answer-sha256={DIGEST}"
    loaded = find_answer(told.append, machine(parameters))
    assert loaded is not None
    assert loaded.answer.global_.country == "at"
    assert told == [f"answer file: {tmp_path}/a.toml"]


def test_a_file_that_the_command_line_names_must_be_there(
    machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="No such file"):
        find_answer(told.append, machine(f"slipway.answer=file://{tmp_path}/a.toml"))


def test_a_file_with_another_digest_is_refused(
    machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_bytes(ANSWER + b"\n")
    parameters = f"slipway.answer=file://{tmp_path}/a.toml slipway.answer-sha256={DIGEST}"
    with pytest.raises(SourceError, match=f"expected {DIGEST}"):
        find_answer(told.append, machine(parameters))


def test_a_file_that_cannot_be_read_is_an_error(
    machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        find_answer(told.append, machine(f"slipway.answer=file://{tmp_path}"))


def test_takes_the_file_on_the_medium(
    machine: Callable[..., Surroundings],
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "answer.toml").write_bytes(ANSWER)
    monkeypatch.setattr("installer.answers.places.MEDIUM", tmp_path / "answer.toml")
    assert find_answer(told.append, machine(f"slipway.answer-sha256={DIGEST}")) is not None
    assert told[-1] == f"answer file: {tmp_path}/answer.toml"


def test_an_invalid_answer_ends_the_search(
    machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.toml").write_text("wype = 1")
    with pytest.raises(AnswerError) as caught:
        find_answer(told.append, machine(f"slipway.answer=file://{tmp_path}/a.toml"))
    assert caught.value.lines[-1].startswith(f"{tmp_path}/a.toml:1:1: wype: ")


@pytest.mark.parametrize("parameter", ["0", "-1", "soon", "nan", "1e9"])
def test_the_limit_of_time_is_a_number_of_seconds(
    parameter: str, machine: Callable[..., Surroundings], told: list[str]
) -> None:
    parameters = f"slipway.answer=https://127.0.0.1:1 slipway.answer-timeout={parameter}"
    with pytest.raises(SourceError, match="expected seconds"):
        find_answer(told.append, machine(parameters))


def test_takes_an_address_from_dhcp(machine: Callable[..., Surroundings], told: list[str]) -> None:
    with serving(reply(200, ANSWER)) as server:
        url = f"http://127.0.0.1:{server.port}/answer"
        surroundings = replace(
            machine("slipway.answer-insecure slipway.answer-timeout=10"),
            dhcp=lambda: Hint(url),
            identity=lambda: {"name": "this machine"},
        )
        loaded = find_answer(told.append, surroundings)
    assert loaded is not None
    assert server.asked[0].body == b'{"name": "this machine"}'
    assert told[2:] == [
        "DHCP option 250 names an answer server",
        f"asking {url}",
        f"answer file: {url}",
    ]


def test_takes_json_from_a_server_that_dns_names(
    machine: Callable[..., Surroundings], told: list[str]
) -> None:
    with serving(reply(200, b'{"wype": 1}', "application/json")) as server:
        hint = Hint(f"http://127.0.0.1:{server.port}/")
        surroundings = replace(machine("slipway.answer-insecure"), dns=lambda: hint)
        with pytest.raises(AnswerError) as caught:
            find_answer(told.append, surroundings)
    assert ":1:2: wype: is not a known key" in caught.value.lines[-1]


def make_volume(path: Path, *, content: bytes | None, name: str = "answer.toml") -> None:
    """An image of a file system; ext4, because every kernel that runs tests can mount it."""
    folder = path.parent / "content"
    folder.mkdir()
    if content is not None:
        (folder / name).write_bytes(content)
    run(["mke2fs", "-q", "-t", "ext4", "-d", folder, path, "1M"])


def can_mount(tmp_path: Path) -> bool:
    image, target = tmp_path / "probe.img", tmp_path / "probe"
    target.mkdir()
    run(["mke2fs", "-q", "-t", "ext4", image, "1M"])
    try:
        run(["mount", "--read-only", image, target])
    except CommandFailed:
        return False
    run(["umount", target])
    return True


@pytest.fixture
def mounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0 or not can_mount(tmp_path):
        pytest.skip("this machine cannot mount images")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize(
    ("label", "name"), [("SLIPWAY", "answer.toml"), ("slipway", "ANSWER.TOML")]
)
def test_takes_the_file_on_a_volume(
    label: str, name: str, machine: Callable[..., Surroundings], told: list[str], tmp_path: Path
) -> None:
    surroundings = machine()
    make_volume(surroundings.labels / label, content=ANSWER, name=name)
    loaded = find_answer(told.append, surroundings)
    assert loaded is not None
    assert told == ["answer file: SLIPWAY:answer.toml"]
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


@pytest.mark.usefixtures("mounting")
def test_a_volume_without_the_file_is_told(
    machine: Callable[..., Surroundings], told: list[str]
) -> None:
    surroundings = machine()
    make_volume(surroundings.labels / "SLIPWAY", content=None)
    assert find_answer(told.append, surroundings) is None
    assert told[0].endswith("/SLIPWAY) has no answer.toml")


@pytest.mark.usefixtures("mounting")
def test_a_volume_that_cannot_be_mounted_is_an_error(
    machine: Callable[..., Surroundings], told: list[str]
) -> None:
    surroundings = machine()
    (surroundings.labels / "SLIPWAY").write_bytes(b"\0" * 4096)
    with pytest.raises(SourceError, match="cannot be mounted"):
        find_answer(told.append, surroundings)


@pytest.mark.parametrize(
    ("label", "link"),
    [
        ("SLIPWAY", "SLIPWAY"),
        ("SLIPWAY", "slipway"),
        ("Rack 7/2", "Rack\\x207\\x2f2"),
        ("Rack", "RACK"),
        ("ü-1", "ü-1"),
    ],
)
def test_finds_labels_as_udev_writes_them(label: str, link: str, tmp_path: Path) -> None:
    (tmp_path / link).touch()
    assert find_label(tmp_path, label) == tmp_path / link
    assert find_label(tmp_path, "OTHER") is None


def hexadecimal(text: str) -> str:
    return text.encode().hex(":")


def test_reads_the_options_that_networkmanager_shows() -> None:
    shown = (
        "DHCP4.OPTION[1]:ip_address = 192.0.2.10\n"
        "\n"
        "DHCP4.OPTION[1]:dhcp_lease_time = 3600\n"
        f"DHCP4.OPTION[2]:private_250 = {hexadecimal('https://a.example.com/x')}\n"
        f"DHCP4.OPTION[3]:private_251 = {hexadecimal('AB:CD')}\n"
    )
    assert parse_dhcp_options(shown) == Hint("https://a.example.com/x", "AB:CD")


def test_a_fingerprint_of_another_lease_does_not_count() -> None:
    shown = (
        f"DHCP4.OPTION[1]:private_251 = {hexadecimal('AB')}\n\n"
        f"DHCP4.OPTION[1]:private_250 = {hexadecimal('https://a')}\n"
    )
    assert parse_dhcp_options(shown) == Hint("https://a", "")


@pytest.mark.parametrize("shown", ["", "\n\n", "DHCP4.OPTION[1]:ip_address = 192.0.2.10\n"])
def test_leases_without_the_options(shown: str) -> None:
    assert parse_dhcp_options(shown) is None


def test_without_networkmanager_there_is_no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.core.command.ENVIRONMENT", {"PATH": "/nonexistent"})
    assert sources.ask_dhcp() is None


def test_asks_for_records_in_each_search_domain() -> None:
    records = {
        "slipway-answer.b.example.com.": ('"https://answers." "example.com/a"',),
        "slipway-answer-cert-fingerprint.b.example.com.": (f'"{DIGEST}"',),
    }
    with name_server(records, ["a.example.com", "b.example.com"]) as resolver:
        assert look_up_records(resolver) == Hint("https://answers.example.com/a", DIGEST)


def test_takes_the_record_of_the_proxmox_installer() -> None:
    records = {"proxmox-auto-installer.example.com.": ('"https://pdm.example.com"',)}
    with name_server(records, ["example.com"]) as resolver:
        assert look_up_records(resolver) == Hint("https://pdm.example.com", "")


@pytest.mark.parametrize("search", [[], ["example.com"]])
def test_without_records_there_is_no_hint(search: list[str]) -> None:
    with name_server({}, search) as resolver:
        assert look_up_records(resolver) is None


def test_the_identity_has_the_fields_that_answer_servers_know() -> None:
    inventory = Inventory(
        firmware=Firmware(mode="uefi"),
        memory_mib=2048,
        dmi={"product_serial": "S1", "board_name": "X11", "bios_version": "1"},
        disks=(Disk(name="sda", path="/dev/sda", size_bytes=10**9, serial="D1"),),
        interfaces=(NetworkInterface(name="eno1", mac="b4:2e:99:ac:ad:b4"),),
    )
    document = identity(inventory)
    assert document["$schema"] == {"version": "1.0"}
    assert document["dmi"] == {
        "system": {"serial": "S1"},
        "baseboard": {"name": "X11"},
        "chassis": {},
    }
    assert document["network_interfaces"] == [{"link": "eno1", "mac": "b4:2e:99:ac:ad:b4"}]
    assert document["memory_mib"] == 2048
    assert '"serial": "D1"' in json.dumps(document["disks"])
