"""A guest that boots in seconds: the node's kernel, klibc's shell, and the drivers of virtio."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

from agent.core.command import run
from tests.lab import iso

# The console's loop: every line is a command, its output ends with a line that has its status.
# With LEASE on its command line it writes a number every 100 ms into a sector of its disk, with
# what tells this start of it from any other, which also chooses the sector.
INIT = """#!/bin/sh
export PATH=/usr/lib/klibc/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod $module; done
lease() {
    read -r start </proc/sys/kernel/random/boot_id
    sector=$((0x${start%"${start#???}"}))
    number=0
    while true; do
        number=$((number + 1))
        echo "lease $start $number" |
            dd of=/dev/vda bs=512 count=1 seek=$sector conv=sync 2>/dev/null
        sync
        sleep 0.1
    done
}
case "$(cat /proc/cmdline)" in *lease*) lease & ;; esac
echo guest is up
while true; do
    while read -r line; do eval "$line"; echo "status $?"; done </dev/ttyS0 >/dev/ttyS0 2>&1
done
"""
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_balloon", "virtio_scsi", "sd_mod")
LEASE = " lease"
COMMAND_LINE = "console=ttyS0 quiet panic=-1"


def make_initrd(image: Path, folder: Path) -> Path:
    """Make the guest's initrd from an ISO's node image, in an empty folder; gives its path."""
    node = iso.extract(image, iso.NODE_IMAGE, folder / "node.squashfs")
    tree, guest = folder / "node", folder / "guest"
    wanted = ["usr/lib/klibc", "usr/lib/klibc-*.so", "usr/lib/modules/*"]
    run(["unsquashfs", "-quiet", "-no-progress", "-dest", tree, node, *wanted])
    for name in ("proc", "sys", "dev", "modules", "bin"):
        (guest / name).mkdir(parents=True)
    shutil.copytree(tree / "usr/lib/klibc", guest / "usr/lib/klibc", symlinks=True)
    (guest / "lib").symlink_to("usr/lib")
    for library in (tree / "usr/lib").glob("klibc-*.so"):
        shutil.copy(library, guest / "usr/lib")
    (guest / "bin/sh").symlink_to("/usr/lib/klibc/bin/sh")
    _copy_modules(tree, guest / "modules")
    (guest / "init").write_text(INIT)
    (guest / "init").chmod(0o755)
    names = "".join(f"{path.relative_to(guest)}\n" for path in sorted(guest.rglob("*")))
    initrd = folder / "guest.initrd"
    run(["cpio", "--quiet", "-o", "-H", "newc", "-F", initrd], input=names, cwd=guest)
    for path in (tree, guest):
        shutil.rmtree(path)
    node.unlink()
    return initrd


def _copy_modules(tree: Path, folder: Path) -> None:
    """The drivers and what they need, unpacked, with names in the order of loading."""
    (kernel,) = (tree / "usr/lib/modules").iterdir()
    (tree / "lib").symlink_to("usr/lib")
    asked = ["modprobe", "--dirname", str(tree), "--set-version", kernel.name, "--show-depends"]
    loaded: list[str] = []
    for module in MODULES:
        for line in run([*asked, module]).stdout.splitlines():
            word, _, path = line.strip().partition(" ")
            if word == "insmod" and path.strip() not in loaded:
                loaded.append(path.strip())
    for number, path in enumerate(loaded):
        name = f"{number:02}-{Path(path).name.removesuffix('.xz')}"
        content = Path(path).read_bytes()
        packed = path.endswith(".xz")
        (folder / name).write_bytes(lzma.decompress(content) if packed else content)
