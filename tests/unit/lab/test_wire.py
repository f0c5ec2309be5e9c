"""Frames byte by byte, and conversations over a wire with a machine that this test plays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from tests.lab import frames, wire
from tests.lab.errors import LabTimeout
from tests.lab.frames import ACK, PUSH, SYN, Segment
from tests.lab.wire import Wire

HOST = "52:54:00:00:00:01"
SERVER = IPv6Address("fec0::15")


def test_a_tagged_arp_request() -> None:
    frame = frames.arp_request(HOST, "192.0.2.1", "192.0.2.15", vlan=100)
    assert frame.hex(" ") == (
        "ff ff ff ff ff ff 52 54 00 00 00 01 81 00 00 64 08 06 00 01 08 00 06 04 00 01 "
        "52 54 00 00 00 01 c0 00 02 01 00 00 00 00 00 00 c0 00 02 0f"
    )


def test_a_neighbor_solicitation() -> None:
    frame = frames.neighbor_solicitation(HOST, wire.ADDRESS, SERVER)
    assert frame[:14].hex(":") == "33:33:ff:00:00:15:52:54:00:00:00:01:86:dd"
    packet, message = frame[14:54], frame[54:]
    assert IPv6Address(packet[24:40]) == IPv6Address("ff02::1:ff00:15")
    assert packet[:8].hex() == "6000000000203aff"
    assert message[8:24] == SERVER.packed
    group = IPv6Address(packet[24:40])
    covered = frames.pseudo_header(wire.ADDRESS, group, len(message), frames.ICMPV6) + message
    assert frames.checksum(covered) == 0


def test_a_neighbor_advertisement() -> None:
    asked = frames.neighbor_solicitation(HOST, SERVER, wire.ADDRESS)
    assert frames.solicits(asked, wire.ADDRESS) and not frames.solicits(asked, SERVER)
    frame = frames.neighbor_advertisement(wire.MAC, wire.ADDRESS, asked)
    assert frame[:14].hex(":") == "52:54:00:00:00:01:52:54:00:00:00:99:86:dd"
    assert IPv6Address(frame[38:54]) == SERVER
    assert frames.advertised_by(frame, wire.ADDRESS) == wire.MAC
    assert frames.advertised_by(frame, SERVER) is None
    message = frame[54:]
    assert message[4:].hex() == f"60000000{wire.ADDRESS.packed.hex()}0201525400000099"
    covered = frames.pseudo_header(wire.ADDRESS, SERVER, len(message), frames.ICMPV6) + message
    assert frames.checksum(covered) == 0


# The examples of RFC 1071 (section 3), and a last odd byte.
@pytest.mark.parametrize(
    ("content", "expected"),
    [("0001f203f4f5f6f7", ~0xDDF2 & 0xFFFF), ("0001f203f4f5f6", ~0xDCFB & 0xFFFF), ("", 0xFFFF)],
)
def test_the_checksum(content: str, expected: int) -> None:
    assert frames.checksum(bytes.fromhex(content)) == expected


def test_a_segment_there_and_back() -> None:
    segment = Segment(22, 40000, 7, 1001, ACK | PUSH, b"SSH-2.0-x")
    frame = segment.frame((HOST, wire.MAC), (SERVER, wire.ADDRESS))
    assert Segment.read(frame + b"padding", SERVER) == segment
    assert Segment.read(frame, wire.ADDRESS) is None
    assert Segment.read(frames.arp_request(HOST, "192.0.2.1", "192.0.2.2"), SERVER) is None


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[[dict[int, bytes | None]], Wire]]:
    """Plays a machine that answers the first, second … frame it gets with the given one."""
    far = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    far.bind(str(tmp_path / "machine"))
    near = Wire(tmp_path / "test", tmp_path / "machine")
    far.connect(str(tmp_path / "test"))
    threads = []

    def play(script: dict[int, bytes | None]) -> Wire:
        def answer() -> None:
            for number in range(max(script) + 1):
                far.recv(65536)
                if reply := script.get(number):
                    far.send(reply)

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return near

    yield play
    for thread in threads:
        thread.join()
    near.close()
    far.close()


Play = Callable[[dict[int, bytes | None]], Wire]


def test_a_question_is_asked_again(machine: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "INTERVAL", 0.01)
    untagged = frames.arp_reply(HOST, "192.0.2.15", wire.MAC, "192.0.2.1")
    tagged = frames.arp_reply(HOST, "192.0.2.15", wire.MAC, "192.0.2.1", vlan=100)
    near = machine({0: untagged, 1: None, 2: tagged})
    near.resolve("192.0.2.15", HOST, "192.0.2.1", vlan=100)


def test_nobody_answers(machine: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "INTERVAL", 0.01)
    monkeypatch.setattr(wire, "LIMIT", 0.05)
    with pytest.raises(LabTimeout, match=f"{HOST} to have 192.0.2.15"):
        machine({0: None}).resolve("192.0.2.15", HOST, "192.0.2.1")


def test_a_greeting(machine: Play) -> None:
    def from_server(kind: int, payload: bytes) -> bytes:
        # What the machine sends has checksums that the test does not look at.
        header = bytes.fromhex("60000000") + len(payload).to_bytes(2) + bytes([kind, 255])
        packet = header + SERVER.packed + wire.ADDRESS.packed + payload
        return frames.ethernet(HOST, wire.MAC, frames.IPV6, packet)

    def segment(flags: int, data: bytes = b"") -> bytes:
        sent = Segment(22, wire.PORT, 500, wire.NEXT, flags, data)
        return sent.frame((HOST, wire.MAC), (SERVER, wire.ADDRESS))

    advertisement = from_server(frames.ICMPV6, bytes([136, 0, 0, 0, 0, 0, 0, 0]) + SERVER.packed)
    asked = frames.neighbor_solicitation(HOST, SERVER, wire.ADDRESS)
    told = segment(ACK | PUSH, b"SSH-2.0-x")
    # Before it speaks, the machine asks who its neighbor is, and is told.
    near = machine({0: advertisement, 1: segment(SYN | ACK), 2: asked, 3: told})
    assert near.greeting(str(SERVER), 22) == b"SSH-2.0-x"
