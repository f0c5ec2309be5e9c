"""The Debian package, built and read with dpkg-deb."""

from __future__ import annotations

from pathlib import Path

from agent import __version__
from agent.__main__ import make_parser
from agent.core.command import run
from image.manual import FOLDER, commands_of, write_pages
from image.package import make_package, path_in

TOP = Path(__file__).resolve().parents[3]


def test_contents_and_control(tmp_path: Path) -> None:
    make_package(TOP, TOP / "image/stacks/kvm-ha.toml", tmp_path)
    deb = path_in(tmp_path)
    fields = run(["dpkg-deb", "--field", deb, "Package", "Version", "Architecture"]).stdout
    assert fields.split() == ["Package:", "slipway", "Version:", __version__] + [
        "Architecture:",
        "all",
    ]
    listing = run(["dpkg-deb", "--contents", deb]).stdout.splitlines()
    modes = {line.split()[5].lstrip("."): line.split()[0] for line in listing}
    assert modes["/usr/bin/slipway"] == "-rwxr-xr-x"
    assert modes["/etc/kernel/postinst.d/zz-slipway-boot"] == "-rwxr-xr-x"
    assert modes["/etc/sudoers.d/slipway-roles"] == "-r--r-----"
    for path in ("agent/__main__.py", "stack.toml", "config-templates/boot/grub.cfg.j2"):
        assert f"/usr/lib/slipway/{path}" in modes
    assert "/usr/lib/systemd/system/slipway-agent.service" in modes
    for name in ("manifest.json", "index.html", "index.js"):
        assert f"/usr/share/cockpit/slipway/{name}" in modes
    strange = [
        path
        for path in modes
        if "__pycache__" in path
        or path.startswith("/usr/lib/slipway/agent/page")
        or path.startswith("/usr/lib/slipway/installer")
    ]
    assert not strange
    assert sorted(path.name for path in tmp_path.iterdir()) == [deb.name]


def test_every_command_has_a_manual_page(tmp_path: Path) -> None:
    write_pages(tmp_path, __version__)
    pages = {path.name for path in tmp_path.rglob("*.8")}
    commands = {command for command, _, _ in commands_of(make_parser())}
    assert pages == {"slipway.8", *(f"slipway-{command}.8" for command in commands)}
    lines = [line for path in tmp_path.rglob("*.8") for line in path.read_text().splitlines()]
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests == {".TH", ".SH", ".nf", ".fi", ".PP", ".TP", ".B", ".BR"}
    shown = (tmp_path / FOLDER / "slipway-container.8").read_text()
    assert ".B \\-\\-explain" in shown
    # An option of one kind of storage, below `storage add`.
    assert ".B \\-\\-thin\\-pool" in (tmp_path / FOLDER / "slipway-storage.8").read_text()


def test_completion_offers_what_the_command_line_has() -> None:
    line = "slipway template fetch --wa"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": "/dev/stdout",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    offered = run(["python3", "-m", "agent", "template"], env=asked, cwd=TOP).stdout
    assert offered.split() == ["--wanted"]
