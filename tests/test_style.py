"""Formatting, lint, types and spelling of the whole project, as tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run

TOP = Path(__file__).resolve().parents[1]
SHELL = ["build.sh", ".ci/run"]
CHECKS = {
    "black": ["black", "--check", "."],
    "isort": ["isort", "--check", "--diff", "."],
    "flake8": ["flake8"],
    "mypy": ["mypy"],
    "codespell": ["codespell"],
    "shellcheck": ["shellcheck", *SHELL],
    "shfmt": ["shfmt", "--diff", *SHELL],
}


@pytest.mark.parametrize("check", CHECKS)
def test_style(check: str) -> None:
    result = run(CHECKS[check], cwd=TOP, check=False)
    assert result.status == 0, result.stdout + result.stderr


def test_only_one_module_imports_sh() -> None:
    importing = {
        str(path.relative_to(TOP))
        for folder in ("agent", "installer", "image", "tests")
        for path in (TOP / folder).rglob("*.py")
        if any(line.split()[:2] in (["import", "sh"], ["from", "sh"]) for line in _lines(path))
    }
    assert importing == {"agent/core/command.py"}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
