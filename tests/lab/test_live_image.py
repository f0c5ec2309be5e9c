"""What the live system consists of, read from the medium."""

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


@pytest.fixture(scope="module")
def root(built_iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The live system's root as it is before it starts."""
    folder = tmp_path_factory.mktemp("live")
    for number, name in enumerate(IMAGES):
        image = iso.extract(built_iso, name, folder / f"{number}.squashfs")
        run(["unsquashfs", "-quiet", "-no-progress", "-force", "-dest", folder / "root", image])
        image.unlink()
    return folder / "root"


def test_every_module_is_imported(root: Path) -> None:
    imported = run(["chroot", root, "python3", "-c", IMPORT_ALL]).stdout.split()
    assert {"installer.ui.main", "installer.engine", "agent.boot.esp"} <= set(imported)


def test_no_presets_are_applied(root: Path) -> None:
    """Without a machine id systemd would take each start for the first one: machine-id(5)."""
    assert (root / "etc/machine-id").read_text() == ""
