"""The steps of the build: what each is made from, and by which function.

packages ─┬─► zfs-modules ─┬─► live ──────────────┐
          │                └─► zfs ◄─┐            ├─► installer ─► iso
          └─► node ◄─ package (.deb) ┴────────────┘     └─► netboot
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import __version__
from agent.core.template import TEMPLATES
from agent.stack import Stack
from image import debian_template, iso, live, netboot, node, package, packages, zfs
from image.cache import SECONDS, Step, digest_of, file_sha256
from image.tree import kernel_version

ISO_NAME = f"slipway-{__version__}-amd64.iso"


@dataclass(frozen=True)
class Made:
    """The result of a step: its content id and its folder."""

    name: str
    id: str
    folder: Path

    @property
    def seconds(self) -> float:
        """How long making it took."""
        return float((self.folder / SECONDS).read_text())


@dataclass(frozen=True)
class Steps:
    """Makes the steps. top: the checkout; apt: the folder with apt's settings; epoch: seconds."""

    top: Path
    apt: Path
    stack_file: Path
    stack: Stack
    epoch: int

    def packages(self) -> Step:
        """The stack's packages as a tree."""
        names = packages.package_names(self.stack)
        inputs = {
            "packages": " ".join(names),
            "sources": (self.apt / "sources.list").read_text(),
            "code": self._code("packages"),
            "locale": _templates("locale"),
        }
        return Step(
            "packages",
            inputs,
            lambda folder, hear: packages.make_packages(self.stack, self.apt, folder, hear),
        )

    def zfs_modules(self, tree: Made) -> Step:
        """OpenZFS's kernel module: compiled anew only for another kernel or another OpenZFS."""
        root = tree.folder / "root"
        inputs = {
            "kernel": kernel_version(root),
            "zfs": (tree.folder / packages.ZFS_VERSION).read_text(),
        }
        return Step(
            "zfs-modules",
            inputs,
            lambda folder, hear: zfs.make_zfs_modules(root, self.apt, folder, hear),
        )

    def live(self, tree: Made, modules: Made) -> Step:
        """What the live system adds, kernel and initrd."""
        inputs = {
            "packages": tree.id,
            "zfs-modules": modules.id,
            "added": " ".join(live.PACKAGES),
            "initramfs": _templates(*live.INITRAMFS),
            "code": self._code("live", "tree"),
        }
        return Step(
            "live",
            inputs,
            lambda folder, hear: live.make_live(
                tree.folder / "root", modules.folder, self.apt, folder, hear
            ),
        )

    def package(self) -> Step:
        """Slipway's own Debian package."""
        inputs = {
            "agent": digest_of([self.top / "agent"], self.top),
            "stack": file_sha256(self.stack_file),
            "templates": _templates("manual", "package", *package.NODE_TEMPLATES),
            "code": self._code("package", "manual"),
        }
        return Step(
            "package",
            inputs,
            lambda folder, _: package.make_package(self.top, self.stack_file, folder),
        )

    def node(self, tree: Made, deb: Made) -> Step:
        """The node image."""
        inputs = {
            "packages": tree.id,
            "package": deb.id,
            "stack": file_sha256(self.stack_file),
            "templates": _templates("image", "initramfs"),
            "code": self._code("node", "tree"),
        }
        file = package.path_in(deb.folder)
        return Step(
            "node",
            inputs,
            lambda folder, hear: node.make_node(
                self.stack, tree.folder / "root", file, folder, hear
            ),
        )

    def zfs(self, tree: Made, modules: Made, node_image: Made) -> Step:
        """The layer for nodes with ZFS.

        Of the node's own package it holds the entry in dpkg's database, so a change of the
        agent's code alone does not concern it.
        """
        inputs = {
            "packages": tree.id,
            "zfs-modules": modules.id,
            "package": _templates("package") + __version__,
            "code": self._code("zfs", "tree"),
        }
        lower = [node_image.folder / "layer", tree.folder / "root"]
        return Step(
            "zfs",
            inputs,
            lambda folder, hear: zfs.make_zfs_layer(lower, modules.folder, self.apt, folder, hear),
        )

    def debian_template(self) -> Step:
        """The layer with the template for the first container."""
        inputs = {
            "stack": self.stack.suite,
            "packages": " ".join(debian_template.PACKAGES),
            "sources": (self.apt / "sources.list").read_text(),
            "templates": _templates("debian-template"),
            "epoch": str(self.epoch),
            "code": self._code("debian_template", "tree"),
        }
        return Step(
            "debian-template",
            inputs,
            lambda folder, hear: debian_template.make_debian_template(
                self.stack, self.apt, self.epoch, folder, hear
            ),
        )

    def installer(
        self, live_system: Made, node_image: Made, zfs_layer: Made, template: Made
    ) -> Step:
        """The installer's image."""
        inputs = {
            "live": live_system.id,
            "node": node_image.id,
            "zfs": zfs_layer.id,
            "debian-template": template.id,
            "installer": digest_of([self.top / "installer"], self.top),
            "templates": _templates("."),
            "code": self._code("live", "tree"),
        }
        images = (
            node_image.folder / node.IMAGE,
            zfs_layer.folder / zfs.LAYER_IMAGE,
            template.folder / debian_template.LAYER_IMAGE,
        )
        return Step(
            "installer",
            inputs,
            lambda folder, hear: live.make_installer(
                self.top, live_system.folder, images, folder, hear
            ),
        )

    def iso(self, files: dict[str, Path], parts: Sequence[Made]) -> Step:
        """The installation medium. files: see `medium_files`; parts: what they were made by."""
        inputs = {
            **{part.name: part.id for part in parts},
            "templates": _templates("iso"),
            "code": self._code("iso"),
            "epoch": str(self.epoch),
        }
        contents = iso.Contents(files, self.epoch)
        return Step(
            "iso", inputs, lambda folder, hear: iso.make_iso(contents, folder / ISO_NAME, hear)
        )

    def netboot(self, files: dict[str, Path], parts: Sequence[Made]) -> Step:
        """The tree that machines start from over the network, with the medium's files."""
        inputs = {
            **{part.name: part.id for part in parts},
            "templates": _templates("netboot"),
            "code": self._code("netboot", "netboot_scripts"),
        }
        return Step("netboot", inputs, lambda folder, _: netboot.make_netboot(files, folder))

    def _code(self, *modules: str) -> str:
        return digest_of([self.top / "image" / f"{name}.py" for name in modules], self.top)


def medium_files(
    live_system: Made, node_image: Made, zfs_layer: Made, template: Made, installer: Made
) -> dict[str, Path]:
    """The medium's big files, the same on the ISO and in the netboot tree: path, made where."""
    return {
        f"live/{live.KERNEL}": live_system.folder / live.KERNEL,
        f"live/{live.INITRD}": live_system.folder / live.INITRD,
        f"live/10-{node.IMAGE}": node_image.folder / node.IMAGE,
        f"live/20-{live.INSTALLER_IMAGE}": installer.folder / live.INSTALLER_IMAGE,
        f"layers/{zfs.LAYER_IMAGE}": zfs_layer.folder / zfs.LAYER_IMAGE,
        f"layers/{debian_template.LAYER_IMAGE}": template.folder / debian_template.LAYER_IMAGE,
    }


def _templates(*folders: str) -> str:
    return digest_of([TEMPLATES / name for name in folders], TEMPLATES)
