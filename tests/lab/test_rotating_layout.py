"""One cell of the matrix of layouts, another with each commit: what CI has time for."""

from __future__ import annotations

import shutil

import pytest

from agent.core.command import run
from tests.lab import iso
from tests.lab.cells import becomes_ready, install_cell, starts_without
from tests.lab.conftest import empty_folder
from tests.lab.installer import Installer
from tests.lab.rotation import part_for

pytestmark = pytest.mark.lab


def test_the_layout_of_this_commit(
    installer: Installer, capsys: pytest.CaptureFixture[str]
) -> None:
    # The checkout may belong to another user than the one who tests.
    git = ["git", "-c", "safe.directory=*", "-C", str(iso.CHECKOUT)]
    part = part_for(run([*git, "rev-parse", "HEAD"]).stdout)
    with capsys.disabled():
        print(f"\nlayout of this commit: {part}")
    logs = empty_folder("layout-of-this-commit")
    cell = install_cell(part.layout, part.firmware, installer, logs)
    becomes_ready(cell)
    if part.pulled:
        starts_without(cell, part.pulled)
    shutil.rmtree(cell.node.home)
