"""Ethernet frames as bytes: ARP, IPv6 neighbor discovery and TCP over IPv6, as much as tests need.

Formats: RFC 826 (ARP), RFC 8200 (IPv6), RFC 4861 (neighbor discovery), RFC 9293 (TCP).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Self

ARP, IPV6, VLAN_TAG = 0x0806, 0x86DD, 0x8100
ARP_ETHERNET = struct.pack("!HHBB", 1, 0x0800, 6, 4)
TCP, ICMPV6 = 6, 58
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT = 135, 136
SYN, RST, PUSH, ACK = 0x02, 0x04, 0x08, 0x10
EVERYONE = "ff:ff:ff:ff:ff:ff"
# Lengths of headers in bytes.
ETHERNET_LENGTH, IPV6_LENGTH = 14, 40


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(source: str, target: str, kind: int, payload: bytes, vlan: int | None = None) -> bytes:
    """A frame from one hardware address to another, tagged if a VLAN is given."""
    tag = b"" if vlan is None else struct.pack("!HH", VLAN_TAG, vlan)
    return mac_bytes(target) + mac_bytes(source) + tag + struct.pack("!H", kind) + payload


def arp_request(mac: str, address: str, wanted: str, vlan: int | None = None) -> bytes:
    """The question who has the wanted IPv4 address, from the host with mac and address."""
    sender = mac_bytes(mac) + IPv4Address(address).packed
    asked = bytes(6) + IPv4Address(wanted).packed
    packet = ARP_ETHERNET + struct.pack("!H", 1) + sender + asked
    return ethernet(mac, EVERYONE, ARP, packet, vlan)


def arp_reply(
    mac: str, address: str, to_mac: str, to_address: str, vlan: int | None = None
) -> bytes:
    """The answer of the host with mac and address to a request."""
    sender = mac_bytes(mac) + IPv4Address(address).packed
    asked = mac_bytes(to_mac) + IPv4Address(to_address).packed
    packet = ARP_ETHERNET + struct.pack("!H", 2) + sender + asked
    return ethernet(mac, to_mac, ARP, packet, vlan)


def neighbor_solicitation(mac: str, source: IPv6Address, wanted: IPv6Address) -> bytes:
    """The question who has the wanted IPv6 address, from the host with mac and source."""
    last = wanted.packed[-3:]
    group = IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:-3] + last)
    # Option 1, of 8 bytes: the sender's hardware address.
    option = b"\x01\x01" + mac_bytes(mac)
    message = struct.pack("!BBHI", NEIGHBOR_SOLICITATION, 0, 0, 0) + wanted.packed + option
    message = _with_checksum(message, 2, source, group, ICMPV6)
    multicast = "33:33:ff:" + last.hex(":")
    return ethernet(mac, multicast, IPV6, _ipv6(source, group, ICMPV6, message))


def neighbor_advertisement(mac: str, address: IPv6Address, solicitation: bytes) -> bytes:
    """The answer of the host with mac and address to a solicitation in a frame."""
    asker_mac, asker = solicitation[6:12].hex(":"), IPv6Address(solicitation[22:38])
    # Option 2, of 8 bytes: the hardware address asked for. Flags: solicited, override.
    option = b"\x02\x01" + mac_bytes(mac)
    flags = 0x60000000
    message = struct.pack("!BBHI", NEIGHBOR_ADVERTISEMENT, 0, 0, flags) + address.packed + option
    message = _with_checksum(message, 2, address, asker, ICMPV6)
    return ethernet(mac, asker_mac, IPV6, _ipv6(address, asker, ICMPV6, message))


def solicits(frame: bytes, address: IPv6Address) -> bool:
    """Whether this frame asks who has the IPv6 address."""
    return _discovers(frame, NEIGHBOR_SOLICITATION, address)


def advertised_by(frame: bytes, wanted: IPv6Address) -> str | None:
    """The hardware address of who says in this frame that it has the wanted IPv6 address."""
    return frame[6:12].hex(":") if _discovers(frame, NEIGHBOR_ADVERTISEMENT, wanted) else None


@dataclass(frozen=True)
class Segment:
    """A TCP segment."""

    source_port: int
    target_port: int
    sequence: int
    acknowledged: int
    flags: int
    data: bytes = b""

    def frame(self, macs: tuple[str, str], addresses: tuple[IPv6Address, IPv6Address]) -> bytes:
        """The frame that carries it; macs, addresses: source and target."""
        ports_and_numbers = (self.source_port, self.target_port, self.sequence, self.acknowledged)
        # A header of 5 words without options; a window of 64 KiB.
        header = struct.pack("!HHIIBBHHH", *ports_and_numbers, 5 << 4, self.flags, 0xFFFF, 0, 0)
        content = _with_checksum(header + self.data, 16, *addresses, TCP)
        return ethernet(*macs, IPV6, _ipv6(*addresses, TCP, content))

    @classmethod
    def read(cls, frame: bytes, source: IPv6Address) -> Self | None:
        """The segment in a frame, if it has one from this address."""
        packet = frame[ETHERNET_LENGTH:]
        if _next_header(frame) != TCP or packet[8:24] != source.packed:
            return None
        length = struct.unpack("!H", packet[4:6])[0]
        content = packet[IPV6_LENGTH : IPV6_LENGTH + length]
        from_, to, sequence, acknowledged, offset, flags = struct.unpack("!HHIIBB", content[:14])
        return cls(from_, to, sequence, acknowledged, flags, content[(offset >> 4) * 4 :])


def checksum(content: bytes) -> int:
    """The internet checksum (RFC 1071); 0 over content that carries its own right one."""
    padded = content + bytes(len(content) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: IPv6Address, target: IPv6Address, length: int, protocol: int) -> bytes:
    """What the checksum covers besides the packet's content."""
    return source.packed + target.packed + struct.pack("!II", length, protocol)


def _with_checksum(
    content: bytes, offset: int, source: IPv6Address, target: IPv6Address, protocol: int
) -> bytes:
    value = checksum(pseudo_header(source, target, len(content), protocol) + content)
    return content[:offset] + struct.pack("!H", value) + content[offset + 2 :]


def _ipv6(source: IPv6Address, target: IPv6Address, protocol: int, payload: bytes) -> bytes:
    """Hop limit 255: neighbor discovery takes nothing that came through a router."""
    header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255)
    return header + source.packed + target.packed + payload


def _discovers(frame: bytes, kind: int, address: IPv6Address) -> bool:
    message = frame[ETHERNET_LENGTH + IPV6_LENGTH :]
    if _next_header(frame) != ICMPV6 or not message.startswith(bytes([kind])):
        return False
    return message[8:24] == address.packed


def _next_header(frame: bytes) -> int | None:
    if len(frame) < ETHERNET_LENGTH + IPV6_LENGTH or frame[12:14] != struct.pack("!H", IPV6):
        return None
    return frame[20]
