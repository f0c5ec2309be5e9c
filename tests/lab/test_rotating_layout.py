"""One cell of the matrix of layouts, another with each commit: what CI has time for."""

from __future__ import annotations

import shutil

import pytest

from tests.lab.cells import becomes_ready, install_cell, starts_without
from tests.lab.conftest import empty_folder
from tests.lab.installer import Installer
from tests.lab.rotation import part_of_this_commit

pytestmark = pytest.mark.lab


def test_the_layout_of_this_commit(
    installer: Installer, capsys: pytest.CaptureFixture[str]
) -> None:
    part = part_of_this_commit()
    with capsys.disabled():
        print(f"\nlayout of this commit: {part}")
    logs = empty_folder("layout-of-this-commit")
    cell = install_cell(part.layout, part.firmware, installer, logs)
    if part.pulled:
        starts_without(cell, part.pulled)
    else:
        becomes_ready(cell)
    shutil.rmtree(cell.node.home)
