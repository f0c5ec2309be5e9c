"""Another kernel, installed by apt on a node, lands on every ESP and starts, ZFS included."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent.core.command import run
from agent.core.files import write_atomically
from image.cache import Cache, Step
from image.tree import apt_install, overlay, system_mounts
from tests.lab import iso
from tests.lab.cells import install_cell
from tests.lab.conftest import empty_folder
from tests.lab.install import LOGIN_LIMIT, InstalledNode, power_off, wait_until_ready
from tests.lab.installer import Installer
from tests.lab.ssh import Ssh

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

CACHE = Path(os.environ["SLIPWAY_CACHE"])
ZFS_IMAGE = "/layers/zfs.squashfs"
# Where a machine of the laboratory finds this host.
HOST = "10.0.2.2"
# Seconds for apt with an initrd made by an emulated processor.
UPDATE_LIMIT = 1800
SOURCE = "/etc/apt/sources.list.d/lab.list"
# No other repository is within a machine's reach.
APT = ("-o", f"Dir::Etc::sourcelist={SOURCE}", "-o", "Dir::Etc::sourceparts=-")


@dataclass(frozen=True)
class Update:
    """A kernel of another flavour. repository: a folder with its packages, and in dkms.tar OpenZFS
    compiled for it.
    """

    kernel: str
    repository: Path

    @property
    def image(self) -> str:
        return f"linux-image-{self.kernel}"

    @property
    def headers(self) -> str:
        return f"linux-headers-{self.kernel}"


@pytest.fixture(scope="module")
def update(built_iso: Path) -> Update:
    """Made once for a kernel and an OpenZFS, and kept in the build's cache."""
    manifest = json.loads((iso.OUT / "manifest.json").read_text())
    inputs = {"zfs-modules": manifest["steps"]["zfs-modules"]}
    step = Step("kernel-update", inputs, lambda folder, _: make_update(built_iso, folder))
    cache = Cache(CACHE / "steps")
    repository = cache.find(step) or cache.make(step, lambda _: None)
    (image,) = repository.glob("linux-image-*.deb")
    return Update(image.name.partition("_")[0].removeprefix("linux-image-"), repository)


def make_update(built_iso: Path, repository: Path) -> None:
    """Fill the folder in a tree that is the node with ZFS, by the node's own DKMS.

    Only this host's processor compiles fast enough: an emulated one takes an hour and more.
    """
    work = empty_folder("kernel-update")
    with node_tree(built_iso, work) as root, system_mounts(root):
        (installed,) = (root / "usr/lib/modules").iterdir()
        made = Update(installed.name.replace("-amd64", "-cloud-amd64"), repository)
        apt_install(root, CACHE / "apt", [made.image, made.headers], lambda _: None)
        for name in (made.image, made.headers):
            (package,) = (root / "var/cache/apt/archives").glob(f"{name}_*.deb")
            shutil.copy(package, repository)
        (built,) = (root / "var/lib/dkms/zfs").glob(f"*/{made.kernel}")
        run(["tar", "-cf", repository / "dkms.tar", "-C", root, built.relative_to(root)])
    shutil.rmtree(work)
    listed = run(["dpkg-scanpackages", "--multiversion", "."], cwd=repository).stdout
    write_atomically(repository / "Packages", listed)


@contextmanager
def node_tree(image: Path, folder: Path) -> Iterator[Path]:
    """The node with ZFS as the medium has it, writable in `folder`."""
    layers = []
    with ExitStack() as stack:
        for number, path in enumerate((ZFS_IMAGE, iso.NODE_IMAGE)):
            squashed = iso.extract(image, path, folder / f"{number}.squashfs")
            layer = folder / f"layer{number}"
            layer.mkdir()
            run(["mount", "-o", "loop,ro", squashed, layer])
            stack.callback(run, ["umount", layer])
            layers.append(layer)
        root, _ = stack.enter_context(overlay(layers, folder / "overlay"))
        yield root


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP while the context lasts: its address for machines."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


def install_update(ssh: Ssh, update: Update, packages: list[str]) -> None:
    """Install the packages from the repository, and no others."""
    with served(update.repository) as address:
        ssh.run(["tee", SOURCE], input=f"deb [trusted=yes] {address} ./\n")
        ssh.run(["apt-get", *APT, "update"])
        ssh.run(["apt-get", *APT, "install", "--yes", *packages], limit=UPDATE_LIMIT)


@pytest.mark.parametrize("layout", ["lvm-ext4", "zfs-raid1"])
def test_a_new_kernel_starts(layout: str, update: Update, installer: Installer) -> None:
    logs = empty_folder(f"kernel-update-{layout}")
    cell = install_cell(layout, "uefi", installer, logs)
    update_and_restart(cell.node, update, logs, zfs=layout.startswith("zfs"))
    shutil.rmtree(cell.node.home)


def update_and_restart(node: InstalledNode, update: Update, logs: Path, *, zfs: bool) -> None:
    """Update the kernel, and restart; without the first disk if others are left."""
    packages = [update.image]
    with node.boot(logs / "update") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert node.ssh.output("uname", "-r") != update.kernel
        if zfs:
            packages.append(update.headers)
            node.ssh.copy(update.repository / "dkms.tar", "/tmp/dkms.tar")
            node.ssh.run(["tar", "-xf", "/tmp/dkms.tar", "-C", "/"])
        install_update(node.ssh, update, packages)
        status = node.ssh.run(["slipway", "boot", "status"], check=False)
        assert status.status == 0, status.stdout
        assert status.stdout.count("up to date") == len(node.spec.disks)
        assert update.kernel in status.stdout
        power_off(node, machine)
    left = node.spec.disks[1:] or node.spec.disks
    with replace(node, spec=replace(node.spec, disks=left)).boot(logs / "updated") as machine:
        wait_until_ready(machine)
        node.ssh.wait_until_up(LOGIN_LIMIT)
        assert node.ssh.output("uname", "-r") == update.kernel
        if zfs:
            assert node.ssh.output("findmnt", "-no", "FSTYPE", "/") == "zfs"
            module = node.ssh.output("modinfo", "-F", "vermagic", "zfs")
            assert module.startswith(update.kernel)
