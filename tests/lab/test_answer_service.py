"""An answer service that is down, slow, broken or not the right one: the reason is on the console.

One live system serves all cases. It starts with the address of the service on its real kernel
command line; for each further case that line is covered by another one, and the installer starts
again. What the service finally answers names a disk that is not there, so nothing is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import iso
from tests.lab.answers import answer, as_toml
from tests.lab.arguments import Accelerator
from tests.lab.conftest import LAB, LAYOUT, empty_folder
from tests.lab.contents import fill, fingerprint
from tests.lab.install import INSTALLER_MILESTONES, free_port
from tests.lab.live import leave_for_shell, run_installer
from tests.lab.machine import Machine
from tests.lab.spec import GIB, Disk, Kernel, MachineSpec, Medium, Nic, UserNetwork
from tests.lab.ssh import Key
from tests.unit.answers.servers import AnswerServer, cut, make_certificate, reply, serving, stall

pytestmark = [pytest.mark.lab, pytest.mark.matrix]

DISK = Disk("vda", GIB, serial="LAB-vda", format="raw")
GRUB_MENU = "/boot/grub/grub.cfg"
KERNEL_LINE = re.compile(r"^\s*linux /live/vmlinuz (.*)$", re.MULTILINE)
# This host, seen from the machine.
HOST = "10.0.2.2"
STARTED = INSTALLER_MILESTONES[0]
FAILED = "slipway-installer: failed: "
RETRY = r"; trying again in \d+\.\d s"
# The end of every case in which the service answers at last.
REFUSED = "vdz"
RUN_LIMIT = 300


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key in one file, and its SHA-256."""

    path: Path
    fingerprint: str


@dataclass(frozen=True)
class Live:
    """The live system. greeting: its console until the installer gave up for the first time;
    server: whom it asked then; disk: fingerprint of the disk before anything ran.
    """

    machine: Machine
    greeting: str
    server: AnswerServer
    disk: str

    def install(self, *parameters: str) -> str:
        """Start the installer with more kernel parameters: what it says on the console."""
        line = " ".join(parameters)
        covered = (
            "umount --quiet /proc/cmdline; "
            f'echo "$(cat /proc/cmdline) {line}" >/run/command-line && '
            "mount --bind /run/command-line /proc/cmdline"
        )
        assert self.machine.serial.run(covered, 60)[0] == 0
        status, lines = run_installer(self.machine, RUN_LIMIT)
        said = "\n".join(lines)
        assert status != 0
        assert said.count(FAILED) == 1
        assert "Traceback" not in said
        return said

    def nothing_was_written(self) -> bool:
        """The disk is what it was, with everything out of the caches."""
        assert self.machine.serial.run("sync", 60)[0] == 0
        return fingerprint(self.machine.paths.disk(DISK)) == self.disk


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    path = tmp_path_factory.mktemp("service") / "server.pem"
    return Certificate(path, make_certificate(path))


@pytest.fixture(scope="module")
def good(key: Key) -> bytes:
    """An answer file that is valid, for another machine."""
    content = answer(LAYOUT, key.public)
    content["disk-setup"]["disk-list"] = [REFUSED]
    return as_toml(content).encode()


@pytest.fixture(scope="module")
def live(
    built_iso: Path, kernel: Path, accelerator: Accelerator, certificate: Certificate, good: bytes
) -> Iterator[Live]:
    folder = empty_folder("answer-service")
    home = folder / "disks"
    image = home / f"{DISK.name}.{DISK.format}"
    fill(image, DISK.size)
    before = fingerprint(image)
    menu = KERNEL_LINE.search(iso.extract(built_iso, GRUB_MENU, folder / "grub.cfg").read_text())
    assert menu
    initrd = iso.extract(built_iso, iso.INITRD, LAB / "initrd.img")
    with serving(*[reply(500)] * 3, reply(200, good), certificate=certificate.path) as server:
        line = " ".join([menu[1], *parameters(server.port, certificate.fingerprint)])
        spec = MachineSpec(
            "answer-service",
            disks=(DISK,),
            nics=(Nic("52:54:00:00:00:01", UserNetwork()),),
            media=(Medium(built_iso, boot=False),),
            kernel=Kernel(kernel, line, initrd),
        )
        with Machine(spec, home, folder, accelerator) as machine:
            machine.serial.wait_for(STARTED.line, STARTED.limit, repr(STARTED.line))
            greeting = leave_for_shell(machine, RUN_LIMIT)
            yield Live(machine, greeting, server, before)
    shutil.rmtree(home)


def parameters(port: int, sha256: str, timeout: int = 120) -> tuple[str, ...]:
    """The kernel parameters for a service; timeout: seconds until it has failed."""
    return (
        f"slipway.answer=https://{HOST}:{port}/answer",
        f"slipway.answer-fingerprint={sha256}",
        f"slipway.answer-timeout={timeout}",
    )


def test_a_service_that_fails_three_times(live: Live) -> None:
    """Its address is on the real command line of the kernel."""
    tries = re.findall(r"https://10\.0\.2\.2:\d+/answer: HTTP status 500" + RETRY, live.greeting)
    assert len(tries) == 3
    assert live.greeting.count(FAILED) == 1
    assert REFUSED in live.greeting.partition(FAILED)[2]
    assert [request.method for request in live.server.asked] == ["POST"] * 4
    identity = json.loads(live.server.asked[-1].body)
    assert [disk["serial"] for disk in identity["disks"]] == [DISK.serial]
    assert live.nothing_was_written()


def test_a_service_that_is_down(live: Live, certificate: Certificate) -> None:
    said = live.install(*parameters(free_port(), certificate.fingerprint, timeout=8))
    assert re.search("Connection refused" + RETRY, said)
    assert re.search("within 8 seconds, at last: Connection refused", said.partition(FAILED)[2])


def test_a_slow_service(live: Live, certificate: Certificate, good: bytes) -> None:
    release = threading.Event()
    with serving(stall(release), reply(200, good), certificate=certificate.path) as server:
        said = live.install(*parameters(server.port, certificate.fingerprint))
        release.set()
    assert re.search(rf"https://10\.0\.2\.2:{server.port}/answer: .*timed out.*" + RETRY, said)
    assert REFUSED in said.partition(FAILED)[2]
    assert len(server.asked) == 2


def test_a_service_that_never_finishes(live: Live, certificate: Certificate) -> None:
    release = threading.Event()
    with serving(stall(release), certificate=certificate.path) as server:
        said = live.install(*parameters(server.port, certificate.fingerprint, timeout=8))
        release.set()
    assert "within 8 seconds, at last: no whole answer" in said.partition(FAILED)[2]


def test_another_certificate(live: Live, certificate: Certificate, good: bytes) -> None:
    with serving(reply(200, good), certificate=certificate.path) as server:
        said = live.install(*parameters(server.port, "0" * 64))
    reason = said.partition(FAILED)[2]
    assert "the server's certificate is not trusted" in reason
    assert "slipway.answer-fingerprint is out of date or this is another server" in reason
    assert "trying again" not in said
    assert server.asked == []


def test_an_answer_that_is_cut_off(live: Live, certificate: Certificate, good: bytes) -> None:
    with serving(cut(good), reply(200, good), certificate=certificate.path) as server:
        said = live.install(*parameters(server.port, certificate.fingerprint))
    assert re.search("the answer was cut off" + RETRY, said)
    assert REFUSED in said.partition(FAILED)[2]
    assert len(server.asked) == 2


def test_half_an_answer(live: Live, certificate: Certificate, good: bytes) -> None:
    """Delivered as if it were the whole one, it is not asked for again."""
    half = good[: good.index(b"[network]")]
    with serving(reply(200, half), certificate=certificate.path) as server:
        said = live.install(*parameters(server.port, certificate.fingerprint))
    reason = said.partition(FAILED)[2]
    assert "network: is missing" in reason
    assert "disk-setup: is missing" in reason
    assert "trying again" not in said
    assert len(server.asked) == 1


def test_nothing_was_written(live: Live) -> None:
    """After all of them."""
    assert live.nothing_was_written()
