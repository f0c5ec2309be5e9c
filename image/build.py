"""One run of the builder: obtain every step in order, then publish what a user gets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent import __version__
from agent.core.command import run
from agent.core.errors import SlipwayError
from image import netboot, package
from image.cache import Cache, Step, file_sha256
from image.progress import Progress
from image.steps import ISO_NAME, Made, Steps, medium_files

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
NETBOOT = "netboot"


@dataclass(frozen=True)
class Build:
    """The builder at work. out: the folder of what a user gets."""

    steps: Steps
    cache: Cache
    progress: Progress
    out: Path

    def run(self) -> None:
        """Build what is not there yet, and publish it in `out` unless that is there already."""
        made = self._obtain_all()
        steps = {name: result.id for name, result in made.items()}
        files = [made["iso"].folder / ISO_NAME, package.path_in(made["package"].folder)]
        tree = self.out / NETBOOT
        if is_published(steps, [*files, tree], self.out):
            print(f"nothing has changed: out/{ISO_NAME}")
            return
        publish(files, self.out)
        netboot.place_tree(made["netboot"].folder / netboot.TREE, tree)
        manifest = {
            "version": __version__,
            "epoch": self.steps.epoch,
            "steps": steps,
            "sizes_bytes": {file.name: file.stat().st_size for file in files},
            "seconds": {name: result.seconds for name, result in made.items()},
            "packages": installed_packages(made["packages"].folder / "root"),
        }
        (self.out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        size = files[0].stat().st_size / 1e6
        seconds = self.progress.total()
        print(f"out/{ISO_NAME}: {size:.0f} MB, and out/{NETBOOT}/, built in {seconds:.0f} s")

    def _obtain_all(self) -> dict[str, Made]:
        tree = self._obtain(self.steps.packages())
        modules = self._obtain(self.steps.zfs_modules(tree))
        live_system = self._obtain(self.steps.live(tree, modules))
        deb = self._obtain(self.steps.package())
        node_image = self._obtain(self.steps.node(tree, deb))
        zfs = self._obtain(self.steps.zfs(tree, modules, node_image))
        template = self._obtain(self.steps.debian_template())
        installer = self._obtain(self.steps.installer(live_system, node_image, zfs, template))
        parts = (live_system, node_image, zfs, template, installer)
        files = medium_files(*parts)
        iso = self._obtain(self.steps.iso(files, parts))
        tree_of_netboot = self._obtain(self.steps.netboot(files, parts))
        made = (tree, modules, deb, *parts, iso, tree_of_netboot)
        return {result.name: result for result in made}

    def _obtain(self, step: Step) -> Made:
        folder = self.cache.find(step)
        if folder:
            self.progress.taken(step.name)
        else:
            with self.progress.stage(step.name, self.cache.why(step)) as hear:
                folder = self.cache.make(step, hear)
        return Made(step.name, step.id, folder)


def is_published(steps: dict[str, str], files: Sequence[Path], out: Path) -> bool:
    """Whether `out` holds what these steps make."""
    manifest = out / MANIFEST
    wanted = [manifest, out / SUMS, *(out / file.name for file in files)]
    if not all(path.exists() for path in wanted):
        return False
    return bool(json.loads(manifest.read_text())["steps"] == steps)


def publish(files: Sequence[Path], out: Path) -> None:
    """Put finished files in `out`, as hard links where the file system allows, with digests."""
    for old in [*out.glob("slipway-*.iso"), *out.glob("slipway_*.deb"), out / MANIFEST]:
        old.unlink(missing_ok=True)
    for file in files:
        netboot.place(file, out / file.name)
    sums = (f"{file_sha256(out / file.name)}  {file.name}\n" for file in files)
    (out / SUMS).write_text("".join(sums))


def installed_packages(root: Path) -> dict[str, str]:
    """Every package of the tree with its version."""
    query = ["dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "--show"]
    lines = run([*query, "--showformat=${Package} ${Version}\n"]).stdout.splitlines()
    return dict(sorted(line.split(" ", 1) for line in lines))


def release_epoch(changelog: Path) -> int:
    """Seconds since 1970 of the newest release's date: the time stamp of everything built.

    Raises SlipwayError when the change log names no release with a date.
    """
    release = re.search(r"^## \S+ \((\d{4}-\d\d-\d\d)\)", changelog.read_text(), re.MULTILINE)
    if not release:
        raise SlipwayError(
            "no release with a date was found", where=str(changelog), hint="## 1.2.3 (2026-12-31)"
        )
    return int(datetime.fromisoformat(release[1]).replace(tzinfo=UTC).timestamp())
