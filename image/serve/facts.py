"""What is known about a machine that asks: from its boot firmware, later from its installer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.core.errors import SlipwayError

MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
# No real value is longer; a page has to show them.
MAXIMUM_CHARACTERS = 128
# What makers of boards write where a value belongs, in lower case: it tells no machine apart.
PLACEHOLDERS = (
    *("", "0", "none", "n/a", "not specified", "not applicable", "unknown", "123456789"),
    *("to be filled by o.e.m.", "default string", "system serial number", "0123456789"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "03000200-0400-0500-0006-000700080009",
)


class BadFacts(SlipwayError):
    """What a machine tells about itself cannot be."""


@dataclass(frozen=True)
class Facts:
    """macs: of all NICs that are known, in lower case; serial, uuid: of the system, empty where
    they are not known; identity: what the installer posted, None before that.
    """

    macs: tuple[str, ...]
    serial: str = ""
    uuid: str = ""
    identity: Mapping[str, Any] | None = None


def boot_facts(query: Mapping[str, str]) -> Facts:
    """What a boot loader says in its query. Raises BadFacts without a hardware address."""
    return Facts(
        (_mac(query.get("mac", "")),), _real(query.get("serial")), _uuid(query.get("uuid"))
    )


def posted_facts(identity: object) -> Facts:
    """What an installer posted. Raises BadFacts for what no installer says."""
    if not isinstance(identity, dict):
        raise BadFacts("the identity is not a JSON object")
    nics = identity.get("network_interfaces")
    if not isinstance(nics, list) or not nics:
        raise BadFacts("network_interfaces is not a list of NICs")
    macs = [_mac(nic.get("mac") if isinstance(nic, dict) else None) for nic in nics]
    dmi = identity.get("dmi")
    system = dmi.get("system") if isinstance(dmi, dict) else None
    system = system if isinstance(system, dict) else {}
    return Facts(
        tuple(dict.fromkeys(macs)), _real(system.get("serial")), _uuid(system.get("uuid")), identity
    )


def _mac(value: object) -> str:
    # PXELINUX, and GRUB after it, write a hardware type and hyphens: 01-52-54-00-00-00-01.
    text = str(value or "").strip().lower().replace("-", ":")
    text = text.removeprefix("01:") if len(text) == 20 else text
    if not MAC.fullmatch(text):
        raise BadFacts(
            "there is no hardware address of 6 bytes", hint="Expected mac=52:54:00:12:34:56."
        )
    return text


def _uuid(value: object) -> str:
    return _real(value).lower()


def _real(value: object) -> str:
    text = value.strip()[:MAXIMUM_CHARACTERS] if isinstance(value, str) else ""
    text = "".join(character for character in text if character.isprintable())
    return "" if text.lower() in PLACEHOLDERS else text
