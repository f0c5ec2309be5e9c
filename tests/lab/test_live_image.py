"""The live system has every module that the installer's program imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.command import run
from tests.lab import iso

pytestmark = pytest.mark.lab

# In the order in which the live system stacks them.
IMAGES = ("/live/10-node.squashfs", "/live/20-installer.squashfs")
IMPORT_ALL = """
import pkgutil, sys
sys.path.insert(0, "/usr/lib/slipway")
import agent, installer
for package in (agent, installer):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
            print(module.name)
"""


def test_every_module_is_imported(built_iso: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number, name in enumerate(IMAGES):
        image = iso.extract(built_iso, name, tmp_path / f"{number}.squashfs")
        run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", root, image])
        image.unlink()
    imported = run(["chroot", root, "python3", "-c", IMPORT_ALL]).stdout.split()
    assert {"installer.ui.main", "installer.engine", "agent.boot.esp"} <= set(imported)
