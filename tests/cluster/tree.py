"""The tree that all nodes of the laboratory share: the newest built node, with this checkout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.core.command import run
from agent.core.template import TEMPLATES
from image.package import LIBRARY, NODE_TEMPLATES, copy_agent, render_package

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("SLIPWAY_CACHE", "/var/cache/slipway")) / "steps"
# What a node of the laboratory starts by itself is what its cluster enables, and D-Bus.
WANTS = "etc/systemd/system/*.wants/*"
MASKED = (
    "apparmor.service",
    "console-getty.service",
    "e2scrub_reap.service",
    "getty.target",
    "kmod-static-nodes.service",
    "ldconfig.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-logind.service",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-update-utmp.service",
    "tmp.mount",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-journal-catalog-update.service",
    "systemd-random-seed.service",
    "systemd-binfmt.service",
    "systemd-pstore.service",
    "systemd-tmpfiles-setup-dev.service",
    "systemd-tmpfiles-setup-dev-early.service",
    "lvm2-monitor.service",
    "blk-availability.service",
)


def layers() -> tuple[Path, Path]:
    """The newest built node in the cache: its own layer, and the packages' tree below it."""
    found = sorted((CACHE / "node").glob("*/inputs.json"), key=lambda path: path.stat().st_mtime)
    for inputs in reversed(found):
        packages = CACHE / "packages" / json.loads(inputs.read_text())["packages"] / "root"
        if packages.is_dir():
            return inputs.parent / "layer", packages
    raise FileNotFoundError("no built node in the cache; run ./build.sh")


@contextmanager
def shared_tree(folder: Path) -> Iterator[list[Path]]:
    """The lower folders of every node's overlay, the first on top.

    folder: on the file system of the cache, whose trees are linked and not used in place, as a
    build may remove them meanwhile.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lower = []
    for name, source in zip(("node", "packages"), layers(), strict=True):
        lower.append(folder / name)
        run(["cp", "--archive", "--link", source, folder / name])
    upper, merged, work = (folder / name for name in ("checkout", "merged", "work"))
    for path in (upper, merged, work):
        path.mkdir()
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    run(["mount", "-t", "overlay", "-o", options, "overlay", merged])
    try:
        prepare(merged)
    finally:
        run(["umount", merged])
    try:
        yield [upper, *lower]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(root: Path) -> None:
    """Lay the checkout's agent over the tree, and leave out what a namespace cannot do."""
    shutil.rmtree(root / LIBRARY / "agent", ignore_errors=True)
    shutil.rmtree(root / LIBRARY / "config-templates", ignore_errors=True)
    copy_agent(TOP, root)
    for name in NODE_TEMPLATES:
        shutil.copytree(TEMPLATES / name, root / LIBRARY / "config-templates" / name)
    render_package(root)
    shutil.rmtree(root / "DEBIAN")
    run(["systemd-sysusers", f"--root={root}"])
    for path in root.glob(WANTS):
        path.unlink()
    units = root / "etc/systemd/system"
    for unit in MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("/usr/lib/systemd/system/multi-user.target")
    # A laboratory has no real-time scheduling, and nothing of it may stop the machine.
    settings = root / "etc/default/pacemaker"
    settings.write_text(settings.read_text() + "PCMK_panic_action=off\n")
