"""A boot firmware's share of DHCP (RFC 2131, 4578) and TFTP (RFC 1350), run in a namespace.

No DHCP client says what firmware says, so this one writes the packets itself.
"""

from __future__ import annotations

import os
import socket
import struct
import sys

SERVER = "192.0.2.1"
OWN = "192.0.2.9"
MAC = bytes.fromhex("525400000001")
MAGIC = b"\x63\x82\x53\x63"
ARCHITECTURE = {"bios": 0, "uefi": 7, "uefi-http": 16, "ipxe": 0}
# Of offers, which are asked for again every 2 seconds, and of what comes once; seconds.
TRIES, LIMIT = 20, 40


def message(kind: str, transaction: bytes, request: bool = False) -> bytes:
    """A DHCPDISCOVER of this firmware, or a DHCPREQUEST to a boot server."""
    own = socket.inet_aton(OWN) if request else bytes(4)
    head = struct.pack("!BBBB4sHH4s12s", 1, 1, 6, 0, transaction, 0, 0x8000, own, bytes(12))
    vendor = "HTTPClient" if kind == "uefi-http" else "PXEClient"
    number = ARCHITECTURE[kind]
    options = [
        (53, b"\x03" if request else b"\x01"),
        (55, bytes([1, 3, 6, 43, 54, 60, 66, 67])),
        (60, f"{vendor}:Arch:{number:05d}:UNDI:003016".encode()),
        (93, struct.pack("!H", number)),
        (94, b"\x01\x03\x10"),
        (97, b"\0" + bytes(16)),
    ]
    if kind == "ipxe":
        options.append((175, b"\x13\x01\x01"))
    packed = b"".join(bytes([code, len(value)]) + value for code, value in options)
    return head + MAC + bytes(10 + 192) + MAGIC + packed + b"\xff"


def offer(kind: str) -> dict[str, str]:
    """What the server offers."""
    transaction = os.urandom(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        client.bind(("", 68))
        client.settimeout(2)
        for _ in range(TRIES):
            client.sendto(message(kind, transaction), ("255.255.255.255", 67))
            try:
                packet = client.recv(4096)
            except TimeoutError:
                continue
            if packet[4:8] == transaction:
                return understand(packet)
    raise SystemExit(f"no offer for {kind}")


def boot_server(kind: str) -> dict[str, str]:
    """What the boot server says on its own port, which PXE in UEFI asks beside proxy DHCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("", 68))
        client.settimeout(LIMIT)
        client.sendto(message(kind, os.urandom(4), request=True), (SERVER, 4011))
        return understand(client.recv(4096))


def understand(packet: bytes) -> dict[str, str]:
    """The fields of an offer that matter."""
    options: dict[int, bytes] = {}
    rest = packet[240:]
    while rest and rest[0] != 255:
        code, length = rest[0], rest[1]
        options[code] = rest[2 : 2 + length]
        rest = rest[2 + length :]
    file = options.get(67, b"") or packet[108:236]
    return {
        "address": socket.inet_ntoa(packet[16:20]),
        "next": socket.inet_ntoa(packet[20:24]),
        "file": file.rstrip(b"\0").decode(),
        "vendor": options.get(60, b"").decode(),
    }


def tftp(name: str) -> bytes:
    """A file that fits into some blocks."""
    content = b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT)
        client.sendto(b"\0\x01" + name.encode() + b"\0octet\0", (SERVER, 69))
        while True:
            packet, sender = client.recvfrom(4096)
            kind, block = struct.unpack("!HH", packet[:4])
            if kind != 3:
                raise SystemExit(f"no {name}: {packet[4:]!r}")
            content += packet[4:]
            client.sendto(struct.pack("!HH", 4, block), sender)
            if len(packet) < 516:
                return content


if __name__ == "__main__":
    if sys.argv[1] == "tftp":
        sys.stdout.buffer.write(tftp(sys.argv[2]))
    else:
        told = offer(sys.argv[2])
        # UEFI asks on where the offer names no file.
        told = told if told["file"] else boot_server(sys.argv[2])
        print("\n".join(f"{key}={value}" for key, value in told.items()))
