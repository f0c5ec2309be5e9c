"""What is accepted as the name of a node and as an address, wherever it comes from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from agent.core.errors import SlipwayError

# Corosync, Pacemaker and DNS all take a label of this form.
NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
ENROLMENT_PORT = 2226
# Corosync's transport knet has links 0 to 7.
MAXIMUM_ADDRESSES = 8


def check_node_name(name: str) -> str:
    """The name, when it is one. Raises SlipwayError."""
    if not NODE_NAME.fullmatch(name):
        raise SlipwayError(
            f'"{name}" is not the name of a node',
            hint="use lower-case letters, digits and hyphens, at most 63",
        )
    return name


def check_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """1 to 8 IPv4 or IPv6 addresses in their usual form, none twice. Raises SlipwayError."""
    try:
        checked = tuple(str(ipaddress.ip_address(address)) for address in addresses)
    except ValueError as error:
        raise SlipwayError(str(error)) from error
    if not 1 <= len(checked) <= MAXIMUM_ADDRESSES:
        raise SlipwayError(f"a node has 1 to {MAXIMUM_ADDRESSES} addresses, not {len(checked)}")
    if len(set(checked)) != len(checked):
        raise SlipwayError("an address is given twice")
    return checked


def endpoint(host: str, port: int = ENROLMENT_PORT) -> str:
    """HOST:PORT as it stands in a URL; an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
