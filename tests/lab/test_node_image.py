"""The node's image has no state of a cluster, and no secret that all nodes would share."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from agent.core.command import run
from tests.lab import iso

pytestmark = pytest.mark.lab

IMAGE = "/live/10-node.squashfs"
# What Debian's packages make while they are installed, see each package's postinst.
BAKED = (
    "etc/corosync/authkey",
    "etc/corosync/corosync.conf",
    "etc/corosync/qnetd/*",
    "etc/corosync/qdevice/net/*",
    "etc/csync2_ssl_*",
    "etc/csync2.key*",
    "etc/pacemaker/authkey",
    "etc/ssh/ssh_host_*",
    "etc/ssl/private/*.key",
    "etc/sssd/*.conf",
    "etc/stunnel/*.pem",
    "var/lib/corosync/*",
    "var/lib/csync2/*",
    "var/lib/libvirt/qemu/*.key",
    "var/lib/pacemaker/cib/*",
    "var/lib/pacemaker/pengine/*",
    "var/lib/pcsd/*",
    "var/lib/slipway/*",
    "var/lib/sss/db/*",
    "var/lib/sss/secrets/*",
    "var/lib/systemd/random-seed",
)
# What must not run before the node is a member, or is asked to.
OFF = (
    "corosync-qdevice.service",
    "corosync.service",
    "csync2.socket",
    "libvirt-guests.service",
    "pacemaker.service",
    "pcsd-ruby.service",
    "pcsd.service",
    "sbd.service",
    "sbd_remote.service",
    "slipway-enrolment.service",
    "sssd-nss.socket",
    "sssd-pam.socket",
    "sssd.service",
    "stunnel4.service",
)
# Lines of settings that a cluster depends on, by file.
SETTINGS = {
    "etc/default/pacemaker": "PCMK_ipc_buffer=4194304",
    "etc/default/pcsd": "PCSD_BIND_ADDR='127.0.0.1'",
}


@pytest.fixture(scope="module")
def image(built_iso: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return iso.extract(built_iso, IMAGE, tmp_path_factory.mktemp("image") / "node.squashfs")


@pytest.fixture(scope="module")
def paths(image: Path) -> tuple[str, ...]:
    """Every path in the image, relative to its root."""
    lines = run(["unsquashfs", "-ls", image]).stdout.splitlines()
    return tuple(line.removeprefix("squashfs-root/") for line in lines)


def test_the_packages_are_there(paths: tuple[str, ...]) -> None:
    assert {"usr/sbin/corosync", "usr/sbin/pcsd", "usr/sbin/sbd", "usr/sbin/csync2"} <= set(paths)


@pytest.mark.parametrize("pattern", BAKED)
def test_nothing_is_baked_in(paths: tuple[str, ...], pattern: str) -> None:
    assert fnmatch.filter(paths, pattern) == []


@pytest.mark.parametrize("unit", OFF)
def test_no_unit_starts_too_early(paths: tuple[str, ...], unit: str) -> None:
    links = [path for path in paths if path.startswith("etc/systemd/system/")]
    assert [link for link in links if link.endswith((f".wants/{unit}", f".requires/{unit}"))] == []


@pytest.mark.parametrize(("file", "line"), SETTINGS.items())
def test_settings_that_must_be_the_same_on_all_members(image: Path, file: str, line: str) -> None:
    assert line in run(["unsquashfs", "-no-progress", "-cat", image, file]).stdout.splitlines()


@pytest.mark.parametrize("kind", ["account", "auth", "password", "session"])
def test_nothing_unasked_is_in_pam(image: Path, kind: str) -> None:
    said = run(["unsquashfs", "-no-progress", "-cat", image, f"etc/pam.d/common-{kind}"]).stdout
    modules = {word for word in said.split() if word.startswith("pam_") and word.endswith(".so")}
    assert "pam_unix.so" in modules
    own = {"pam_deny.so", "pam_permit.so", "pam_systemd.so", "pam_umask.so", "pam_unix.so"}
    assert modules <= own
