"""The serial console: lines, waiting, typing, and what errors show."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.lab.errors import LabError, LabTimeout
from tests.lab.install import Milestone, follow
from tests.lab.serial import Line, Serial


class Console:
    """A console with the machine's end of it at hand."""

    def __init__(self) -> None:
        near, self.guest = socket.socketpair()
        self.heard: list[Line] = []
        self.serial = Serial(near, time.monotonic(), name="node", on_line=self.heard.append)

    def says(self, text: str) -> None:
        self.guest.sendall(text.encode())


@pytest.fixture
def console() -> Iterator[Console]:
    made = Console()
    yield made
    made.serial.close()
    made.guest.close()


def test_lines_without_terminal_control(console: Console) -> None:
    console.says("\x1b[0;1;39mone\x1b[0m\r\n\x1b]0;title\x07two \x1b(B\xe4\r\nthree")
    console.serial.wait_for("three", 5, "the third line")
    assert [line.text for line in console.serial.lines] == ["one", "two \xe4"]
    assert [line.text for line in console.heard] == ["one", "two \xe4"]


def test_a_character_may_come_in_pieces(console: Console) -> None:
    console.guest.sendall(b"caf\xc3")
    console.serial.wait_for("^caf", 5, "its start")
    console.guest.sendall(b"\xa9\n")
    console.serial.wait_for("é", 5, "its end")


def test_waiting_goes_forward_only(console: Console) -> None:
    console.says("login: \nlogin: ")
    console.serial.wait_for("login:", 5, "the first")
    console.serial.wait_for("login:", 5, "the second")
    with pytest.raises(LabTimeout):
        console.serial.wait_for("login:", 0.1, "a third")
    console.says("\nlogin: ")
    console.serial.wait_for("login:", 5, "the third")


def test_text_that_came_before_is_found(console: Console) -> None:
    console.says("a\nb\nc\n")
    console.serial.wait_for("c", 5, "c")
    with pytest.raises(LabTimeout):
        console.serial.wait_for("a", 0.1, "a")


def test_text_that_comes_later_is_found_with_its_time(console: Console) -> None:
    threading.Timer(0.2, console.says, ["progress 42 %\n"]).start()
    found = console.serial.wait_for(r"progress (\d+) %", 5, "progress")
    assert found.match[1] == "42"
    assert found.seconds >= 0.2


def test_a_timeout_says_what_and_shows_the_last_lines(console: Console) -> None:
    console.says("".join(f"line {number}\n" for number in range(100)) + "unfinished")
    with pytest.raises(LabTimeout) as caught:
        console.serial.wait_for("never", 0.3, "the installer")
    text = str(caught.value)
    assert text.startswith("node: waited 0.3 seconds for the installer\n")
    assert "line 99\n" in text and "line 75\n" in text and "line 74\n" not in text
    assert text.endswith("unfinished")


def test_words_that_end_the_waiting(console: Console) -> None:
    console.says("failed: no disk\n")
    with pytest.raises(LabError, match="while waiting for it, the console said: failed: no disk"):
        console.serial.wait_for("installed", 5, "it", unless="failed: .*")


def test_the_end_of_the_machine(console: Console) -> None:
    console.says("last words")
    console.guest.close()
    console.serial.wait_for("last words", 5, "them")
    with pytest.raises(LabError, match="the machine ended while waiting for more"):
        console.serial.wait_for("more", 5, "more")


def test_a_command_in_the_shell(console: Console) -> None:
    def shell() -> None:
        typed = console.guest.recv(1000).decode()
        assert typed.endswith('; ls /; echo "<end $?>"\n')
        console.says(f"root@node:~# {typed}<42>\r\nbin\r\nboot\r\n<end 3>\r\nroot@node:~# ")

    thread = threading.Thread(target=shell)
    thread.start()
    assert console.serial.run("ls /", 5) == (3, ["bin", "boot"])
    thread.join()


def test_a_command_whose_output_has_no_end_of_line(console: Console) -> None:
    console.says("<42>\r\none\r\ntwo<end 0>\r\n")
    assert console.serial.run("printf 'one\ntwo'", 5) == (0, ["one", "two"])


def test_milestones_in_their_order(console: Console) -> None:
    console.says("installer: started\nnoise\ninstaller: done\n")
    milestones = (
        Milestone("started", "installer: started", 5),
        Milestone("done", "installer: done", 5),
    )
    seconds = follow(console.serial, milestones, "installer: failed")
    assert list(seconds) == ["started", "done"]
    assert 0 <= seconds["started"] <= seconds["done"]


def test_a_failure_ends_the_wait_for_a_milestone(console: Console) -> None:
    console.says("installer: started\ninstaller: failed: no disk\n")
    milestones = (
        Milestone("started", "installer: started", 5),
        Milestone("done", "installer: done", 5),
    )
    with pytest.raises(LabError, match="installer: failed: no disk"):
        follow(console.serial, milestones, "installer: failed")
