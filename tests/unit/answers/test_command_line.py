"""The command line: what is printed where, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from installer.__main__ import main
from installer.answers.schema import json_schema
from installer.inventory.model import Disk, Firmware, Inventory, NetworkInterface
from tests.unit.answers.files import MINIMAL, MINIMAL_TOML


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    path = tmp_path / "answer.toml"
    path.write_text(MINIMAL_TOML)
    return path


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    disks = (
        Disk(
            name="sda",
            path="/dev/sda",
            size_bytes=64 * 2**30,
            udev={"ID_BUS": "ata", "ID_SERIAL": "S1"},
        ),
        Disk(
            name="sdb",
            path="/dev/sdb",
            size_bytes=64 * 2**30,
            udev={"ID_BUS": "ata", "ID_SERIAL": "S2"},
        ),
        Disk(name="vda", path="/dev/vda", size_bytes=64 * 2**30, udev={"ID_SERIAL": "S1"}),
    )
    nic = NetworkInterface(name="eno1", mac="b4:2e:99:ac:ad:b4", udev={"ID_NET_DRIVER": "igb"})
    path = tmp_path / "inventory.json"
    whole = Inventory(
        firmware=Firmware(mode="uefi"), memory_mib=4096, disks=disks, interfaces=(nic,)
    )
    path.write_text(whole.model_dump_json())
    return path


def test_a_valid_answer(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(answer)]) == 0
    assert capsys.readouterr() == (f"{answer}: the answer file is valid\n", "")


def test_warnings_leave_an_answer_valid(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer.write_text(MINIMAL_TOML.replace("disk-list", "disk_list"))
    assert main(["validate", str(answer)]) == 0
    assert capsys.readouterr().err == (
        f"warning: {answer}:14:1: disk-setup.disk_list: is the older spelling of disk-list\n"
    )


def test_an_invalid_answer(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer.write_text("wype = 1\n" + MINIMAL_TOML)
    assert main(["validate", str(answer)]) == 1
    assert capsys.readouterr() == (
        "",
        f"{answer}: the answer file has 1 error\n"
        f'  {answer}:1:1: wype: is not a known key; did you mean "wipe"?\n',
    )


def test_json_by_its_name(answer: Path) -> None:
    path = answer.with_suffix(".json")
    path.write_text(json.dumps(MINIMAL))
    assert main(["validate", str(path)]) == 0


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}/none.toml: cannot be read: No such file or directory\n"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["surplus"], ["match", "disk", "no-glob"], ["plan"], ["match", "disk"]]
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python3 -m installer" in capsys.readouterr().err


def test_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
    assert main(["schema", "--markdown"]) == 0
    assert "### `[disk-setup.zfs]`\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["disk", "ID_BUS=ata"], ["sda", "sdb"]),
        (["disk", "ID_BUS=a?a", "ID_SERIAL=S1"], ["sda", "sdb", "vda"]),
        (["disk", "ID_BUS=a*", "ID_SERIAL=S[1]", "--filter-match", "all"], ["sda"]),
        (["disk", "MADE_UP=*", "--filter-match", "all"], []),
        (["network", "ID_NET_DRIVER=igb"], ["eno1"]),
    ],
)
def test_matches_as_an_installation_would(
    arguments: list[str], names: list[str], inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", *arguments, "--inventory", str(inventory)]) == 0
    assert json.loads(capsys.readouterr().out) == names


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"firmware": {"mode": "coreboot"}, "memory_mib": 1}', "\udcff"]
)
def test_what_is_not_an_inventory(
    content: str, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory.write_text(content, errors="surrogateescape")
    assert main(["match", "disk", "A=b", "--inventory", str(inventory)]) == 2
    assert f"{inventory}: this is not an inventory" in capsys.readouterr().err


def test_plans_without_the_machine(
    answer: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer.write_text(MINIMAL_TOML.replace('"from-dhcp"', '"dhcp"'))
    arguments = ["plan", "--answer", str(answer), "--inventory", str(inventory)]
    assert main(arguments) == 0
    assert "Plan for node1.example.com" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    plan = capsys.readouterr().out
    assert json.loads(plan)["fqdn"] == "node1.example.com"
    assert "correct horse" not in plan


def test_a_plan_that_cannot_be_made(
    answer: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer.write_text(MINIMAL_TOML.replace('"sda"', '"sdx"'))
    assert main(["plan", "--answer", str(answer), "--inventory", str(inventory)]) == 1
    assert "this machine has no disk sdx" in capsys.readouterr().err
