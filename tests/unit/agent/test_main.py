"""The slipway command: what a person sees when something is wrong, and one run of the agent."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent import banner, clock, config, console, journal
from agent import node as facts
from agent import stack, status
from agent.__main__ import COMMANDS, main, make_parser
from agent.commands import agent as command
from agent.converge import Run
from agent.core.command import Result
from agent.step import Fatal, Retry, Step, WaitForOperator
from image.manual import commands_of
from tests.unit.agent.fake_steps import FakeStep, FakeTime

SHIPPED = Path(__file__).parents[3] / "image" / "stacks" / "kvm-ha.toml"
CONFIGURATION = """
fqdn = "node1.example.org"
storage = { kind = "directory", path = "/srv" }
boot = { esps = [], kernel_parameters = [] }
"""


class Node:
    """A node whose files are in a folder and whose steps do nothing to this machine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.words: set[str] = set()
        self.steps: tuple[Step, ...] = (FakeStep("one", self.words),)
        (folder / "node.toml").write_text(CONFIGURATION)
        for module, name in ((config, "node.toml"), (journal, "journal"), (status, "status")):
            monkeypatch.setattr(module, "PATH", folder / name)
        monkeypatch.setattr(stack, "PATH", SHIPPED)
        monkeypatch.setattr(banner, "PATH", folder / "banner")
        monkeypatch.setattr(banner, "run", lambda argv, check: Result(tuple(argv), 0, "", ""))
        monkeypatch.setattr(facts, "address_of", lambda _interface: "192.0.2.10")
        monkeypatch.setattr(clock, "synchronized", lambda: True)
        monkeypatch.setattr(command, "LOCK", folder / "lock")
        monkeypatch.setattr(command, "all_steps", lambda _config, _stack: self.steps)
        monkeypatch.setattr(console, "ACTIVE", folder / "consoles")

    def status(self) -> status.Status:
        return status.load(self.folder / "status")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    logger = logging.getLogger("agent")
    handlers = list(logger.handlers)
    yield Node(tmp_path, monkeypatch)
    logger.handlers = handlers


def test_a_run_ends_ready_and_says_so(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "started"
    assert "step one started" in lines
    assert any(re.fullmatch(r"step one done \(\d+\.\d s\)", line) for line in lines)
    assert lines[-1] == "ready https://192.0.2.10:9090"
    assert node.status().ready
    assert "ready" in (node.folder / "banner").read_text()


def test_a_second_run_acts_nothing(node: Node) -> None:
    assert [main(["agent", "run"]), main(["agent", "run"])] == [0, 0]
    assert node.status().steps["one"].acted == 1


@pytest.mark.parametrize(
    ("error", "code", "stage"),
    [
        (WaitForOperator("no disk"), 4, "waiting for operator"),
        (Fatal("no unit"), 4, "failed"),
        (Retry("no bus"), 3, "retrying"),
    ],
)
def test_a_run_that_does_not_end_ready(
    error: Exception,
    code: int,
    stage: str,
    node: Node,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The unit is started again after 3 and not after 4."""
    monkeypatch.setattr(command, "Run", partial(Run, pace=FakeTime().pace(budget=0.0)))
    node.steps = (FakeStep("one", set(), errors=(error,)),)
    assert main(["agent", "run"]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith("not ready: one: no ")
    assert node.status().stage == stage


def test_a_wrong_configuration(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    (node.folder / "node.toml").write_text("fqdn = 1")
    assert main(["agent", "run"]) == 4
    assert "configuration is not valid" in capsys.readouterr().out
    assert node.status().stage == "failed"
    assert "configuration is not valid" in node.status().unmet[0]


def test_only_one_agent_runs(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    with command.only_one(node.folder / "lock"):
        assert main(["agent", "run"]) == 1
    assert "running already" in capsys.readouterr().err
    assert main(["agent", "run"]) == 0


def test_an_error_of_the_system_is_text(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    (node.folder / "status").mkdir()
    assert main(["status"]) == 1
    assert capsys.readouterr().err == f"slipway: {node.folder / 'status'}: Is a directory\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("status", "boot", "agent"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_made_by_its_own_module(name: str) -> None:
    assert [command for command, _, _ in commands_of(make_parser(name))] == [name]


def test_a_command_reads_only_its_own_modules() -> None:
    code = (
        "import sys, agent.__main__\n"
        "agent.__main__.make_parser('status')\n"
        "print([name for name in ('uvicorn', 'cryptography', 'requests') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
