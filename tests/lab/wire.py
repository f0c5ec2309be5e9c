"""A neighbor of a machine: a host on its Ethernet segment that this test plays, frame by frame.

QEMU forwards ports over IPv4 only, and knows no VLANs; this reaches the rest without a tap device.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from ipaddress import IPv6Address
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import frames
from tests.lab.frames import ACK, RST, SYN, Segment
from tests.lab.wait import until

# Who the test is there.
MAC = "52:54:00:00:00:99"
ADDRESS = IPv6Address("fec0::99")
PORT = 40000
# The sequence number of the first byte after the handshake.
NEXT = 1001
# Seconds: until a question is asked again, and until nobody will answer it.
INTERVAL = 2.0
LIMIT = 60.0


class Wire:
    """One end of the wire; QEMU has the other."""

    def __init__(self, here: Path, there: Path) -> None:
        """here, there: socket files of the test and of QEMU. Raises OSError without QEMU."""
        self._here = here
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(str(here))
            self._socket.connect(str(there))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()
        self._here.unlink(missing_ok=True)

    def resolve(self, address: str, mac: str, mine: str, vlan: int | None = None) -> None:
        """Wait until the machine says by ARP that `mac` has the IPv4 address.

        mine: an address of the test in the same network; vlan: the tag of question and answer.
        Raises LabTimeout.
        """
        expected = frames.arp_reply(mac, address, MAC, mine, vlan)
        self._ask(
            frames.arp_request(MAC, mine, address, vlan),
            lambda frame: frame.startswith(expected) or None,
            f"{mac} to have {address}",
        )

    def greeting(self, address: str, port: int) -> bytes:
        """What a server says first over TCP, at an IPv6 address in fec0::/64.

        Raises LabTimeout.
        """
        server = IPv6Address(address)
        where = f"{address} port {port}"
        mac = self._ask(
            frames.neighbor_solicitation(MAC, ADDRESS, server),
            lambda frame: frames.advertised_by(frame, server),
            f"a neighbor with {address}",
        )

        def send(sequence: int, acknowledged: int, flags: int) -> bytes:
            segment = Segment(PORT, port, sequence, acknowledged, flags)
            return segment.frame((MAC, mac), (ADDRESS, server))

        def accepted(frame: bytes) -> Segment | None:
            segment = Segment.read(frame, server)
            return segment if segment and segment.flags == SYN | ACK else None

        def spoken(frame: bytes) -> bytes | None:
            segment = Segment.read(frame, server)
            return (segment.data or None) if segment else None

        opened = self._ask(send(NEXT - 1, 0, SYN), accepted, f"a connection to {where}")
        said = self._ask(send(NEXT, opened.sequence + 1, ACK), spoken, f"a greeting from {where}")
        self._socket.send(send(NEXT, 0, RST))
        return said

    def _ask[T](self, frame: bytes, read: Callable[[bytes], T | None], what: str) -> T:
        """Send a frame, again and again, until `read` finds something in a frame that comes.

        Whoever asks for the test's own address meanwhile is told: a machine sends to no neighbor
        that it does not find.
        """

        def attempt() -> T | None:
            self._socket.settimeout(INTERVAL)
            self._socket.send(frame)
            end = time.monotonic() + INTERVAL
            while (left := end - time.monotonic()) > 0:
                self._socket.settimeout(left)
                try:
                    heard = self._socket.recv(65536)
                except TimeoutError:
                    return None
                if frames.solicits(heard, ADDRESS):
                    self._socket.send(frames.neighbor_advertisement(MAC, ADDRESS, heard))
                elif (found := read(heard)) is not None:
                    return found
            return None

        return until(attempt, LIMIT, what, where=str(self._here), interval=0)
