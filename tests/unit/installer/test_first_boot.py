"""The program of the first boot: from medium or server, through the plan, onto the node."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from agent.config import FIRST_BOOT, FIRST_BOOT_UNIT
from agent.core.command import run
from agent.core.errors import SlipwayError
from installer.answers.hooks import FirstBoot
from installer.answers.prepared import MAXIMUM_PROGRAM_BYTES
from installer.execute.files import write_program
from installer.first_boot import load_program
from installer.plan.model import Plan, WriteFirstBoot
from installer.plan.planner import make_plan
from installer.plan.show import plan_text
from installer.web import Patience
from tests.unit.answers.files import MINIMAL, load
from tests.unit.answers.servers import cut, make_certificate, reply, serving
from tests.unit.network.machines import STATIC, nic
from tests.unit.storage.machines import disk, machine

PROGRAM = b"#!/bin/sh\nexit 0\n\xff"
QUICK = Patience(total=20, attempt=10, first=0.001, longest=0.01)
ORDERINGS = ("before-network", "network-online", "fully-up")
UNIT = f"/etc/systemd/system/{FIRST_BOOT_UNIT}"
LINK = f"/etc/systemd/system/multi-user.target.wants/{FIRST_BOOT_UNIT}"


def from_url(url: str, fingerprint: str | None = None) -> FirstBoot:
    return FirstBoot(source="from-url", url=url, cert_fingerprint=fingerprint)


def plan(**table: str) -> Plan:
    inventory = machine(disk("sda")).model_copy(update={"interfaces": (nic(1),)})
    return make_plan(load(MINIMAL | {"network": STATIC, "first-boot": table}).answer, inventory)


@pytest.fixture
def told() -> list[str]:
    return []


def test_from_the_medium(tmp_path: Path, told: list[str]) -> None:
    file = tmp_path / "first-boot"
    file.write_bytes(PROGRAM)
    assert load_program(FirstBoot(source="from-iso"), told.append, file) == PROGRAM


def test_it_must_be_on_the_medium(tmp_path: Path, told: list[str]) -> None:
    with pytest.raises(SlipwayError, match="cannot be read: No such file"):
        load_program(FirstBoot(source="from-iso"), told.append, tmp_path / "first-boot")


def test_from_a_server_that_is_not_there_at_once(tmp_path: Path, told: list[str]) -> None:
    certificate = tmp_path / "server.pem"
    fingerprint = make_certificate(certificate).replace(":", "").lower()
    replies = (reply(500), cut(PROGRAM), reply(200, PROGRAM))
    with serving(*replies, certificate=certificate) as server:
        table = from_url(f"https://127.0.0.1:{server.port}/p?key=hunter2", fingerprint)
        assert load_program(table, told.append, patience=QUICK) == PROGRAM
    assert [request.method for request in server.asked] == ["GET"] * 3
    assert len(told) == 2
    assert "hunter2" not in str(told)


def test_only_the_pinned_server_is_believed(tmp_path: Path, told: list[str]) -> None:
    make_certificate(tmp_path / "server.pem")
    with serving(reply(200, PROGRAM), certificate=tmp_path / "server.pem") as server:
        table = from_url(f"https://127.0.0.1:{server.port}/", "0" * 64)
        with pytest.raises(SlipwayError, match="not trusted") as caught:
            load_program(table, told.append, patience=QUICK)
    assert "first-boot.cert-fingerprint" in str(caught.value.hint)


@pytest.mark.parametrize("status", [204, 404])
def test_no_program_is_an_error(status: int, told: list[str]) -> None:
    with serving(reply(status)) as server:
        with pytest.raises(SlipwayError):
            load_program(from_url(f"http://127.0.0.1:{server.port}/"), told.append, patience=QUICK)


@pytest.mark.parametrize("size", [MAXIMUM_PROGRAM_BYTES, MAXIMUM_PROGRAM_BYTES + 1])
def test_a_program_that_is_too_large_is_not_cut(size: int, tmp_path: Path, told: list[str]) -> None:
    content = PROGRAM.ljust(size, b"\n")
    (tmp_path / "first-boot").write_bytes(content)
    with serving(reply(200, content)) as server:
        tables = (FirstBoot(source="from-iso"), from_url(f"http://127.0.0.1:{server.port}/"))
        for table in tables:
            if size > MAXIMUM_PROGRAM_BYTES:
                with pytest.raises(SlipwayError, match="at most 1 MiB"):
                    load_program(table, told.append, tmp_path / "first-boot", QUICK)
            else:
                assert load_program(table, told.append, tmp_path / "first-boot", QUICK) == content


def test_a_web_page_is_no_program(tmp_path: Path, told: list[str]) -> None:
    (tmp_path / "first-boot").write_text("<!DOCTYPE html>")
    with pytest.raises(SlipwayError, match="not a program"):
        load_program(FirstBoot(source="from-iso"), told.append, tmp_path / "first-boot")


def test_the_plan_puts_it_on_the_node() -> None:
    made = plan(source="from-url", url="https://user:hunter2@example.com/p?key=hunter2")
    kinds = [action.kind for action in made.actions]
    assert kinds.index("unpack-image") < kinds.index("write-first-boot") < kinds.index("unmount")
    action = next(action for action in made.actions if isinstance(action, WriteFirstBoot))
    assert (action.path, action.source) == (str(FIRST_BOOT), "example.com")
    assert "hunter2" not in made.model_dump_json()
    assert f"put the first-boot program from example.com at {FIRST_BOOT}" in plan_text(made)


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_the_node_knows_when_it_runs(ordering: str) -> None:
    files = {file.path: file for file in plan(source="from-iso", ordering=ordering).files}
    assert tomllib.loads(files["/etc/slipway/node.toml"].content)["first_boot"] == ordering
    assert f"\nExecStart={FIRST_BOOT} {ordering}\n" in files[UNIT].content
    # The agent starts the one that needs the agent's steps.
    assert (LINK in files) == (ordering != "fully-up")
    if LINK in files:
        assert files[LINK].link_target == UNIT


def test_without_a_program_there_is_no_unit() -> None:
    inventory = machine(disk("sda")).model_copy(update={"interfaces": (nic(1),)})
    made = make_plan(load(MINIMAL | {"network": STATIC}).answer, inventory)
    assert not [file.path for file in made.files if FIRST_BOOT_UNIT in file.path]
    assert not [action for action in made.actions if isinstance(action, WriteFirstBoot)]


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_systemd_understands_the_unit(ordering: str, tmp_path: Path) -> None:
    files = {file.path: file for file in plan(source="from-iso", ordering=ordering).files}
    write_program(PROGRAM, str(FIRST_BOOT), tmp_path)
    unit = tmp_path / FIRST_BOOT_UNIT
    # The path of a program that exists.
    unit.write_text(files[UNIT].content.replace(str(FIRST_BOOT), f"{tmp_path}{FIRST_BOOT}"))
    result = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit])
    assert result.stderr == ""


def test_only_root_may_see_the_program(tmp_path: Path) -> None:
    write_program(PROGRAM, str(FIRST_BOOT), tmp_path)
    program = tmp_path / str(FIRST_BOOT).lstrip("/")
    assert program.read_bytes() == PROGRAM
    for path in (program, program.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_the_program_cannot_leave_the_target(tmp_path: Path) -> None:
    (tmp_path / "target/var/lib").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "target/var/lib/slipway").symlink_to(tmp_path / "outside")
    with pytest.raises(SlipwayError, match="outside of the target"):
        write_program(PROGRAM, str(FIRST_BOOT), tmp_path / "target")
    assert list((tmp_path / "outside").iterdir()) == []
