"""Addresses of answer servers that the network tells: DHCP options and DNS TXT records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

# NetworkManager's names of the options 250 and 251. It does not ask for them: the server has to
# send them unasked (dnsmasq: dhcp-option-force, Kea: always-send).
ADDRESS_OPTION, FINGERPRINT_OPTION = "private_250", "private_251"
# NetworkManager shows private options as bytes: "68:74:74:70".
BYTES = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*")
# The second is the Proxmox installer's, so that an existing record serves both.
RECORDS = ("slipway-answer", "proxmox-auto-installer")
FINGERPRINT_SUFFIX = "-cert-fingerprint"
DNS_SECONDS = 10.0


@dataclass(frozen=True)
class Hint:
    """An address and, where the same source gives one, the fingerprint of its certificate."""

    url: str
    fingerprint: str = ""


def parse_dhcp_options(nmcli: str) -> Hint | None:
    """What `nmcli --terse --fields DHCP4 device show` says: the first lease with an address."""
    for record in nmcli.strip().split("\n\n"):
        options: dict[str, str] = {}
        for line in record.splitlines():
            name, _, value = line.partition(":")[2].partition(" = ")
            options[name] = _decode(value)
        if options.get(ADDRESS_OPTION):
            return Hint(options[ADDRESS_OPTION], options.get(FINGERPRINT_OPTION, ""))
    return None


def _decode(value: str) -> str:
    if not BYTES.fullmatch(value):
        return value
    text = bytes.fromhex(value.replace(":", "")).decode("ascii", errors="replace")
    return text.strip("\0 \n")


def look_up_records(resolver: dns.resolver.Resolver | None = None) -> Hint | None:
    """Ask for the TXT records in each search domain, one after the other.

    resolver: default is the one that /etc/resolv.conf describes. What cannot be asked is not there.
    """
    try:
        resolver = resolver or dns.resolver.Resolver()
    except dns.exception.DNSException:
        return None
    for name, domain in _names(resolver):
        if url := _text(resolver, f"{name}.{domain}"):
            return Hint(url, _text(resolver, f"{name}{FINGERPRINT_SUFFIX}.{domain}"))
    return None


def _names(resolver: dns.resolver.Resolver) -> Iterator[tuple[str, str]]:
    for domain in resolver.search or [resolver.domain]:
        if domain.labels not in ((), (b"",)):
            yield from ((name, domain.to_text()) for name in RECORDS)


def _text(resolver: dns.resolver.Resolver, name: str) -> str:
    try:
        records = resolver.resolve(name, "TXT", lifetime=DNS_SECONDS)
    except dns.exception.DNSException:
        return ""
    texts = sorted(
        b"".join(record.strings).decode("utf-8", errors="replace")
        for record in records
        if isinstance(record, TXTBase)
    )
    return texts[0].strip() if texts else ""
