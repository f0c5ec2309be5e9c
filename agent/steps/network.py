"""Network: the management interface has an address. NetworkManager does all the work."""

from __future__ import annotations

import time

from agent.node import address_of
from agent.step import Retry, Step

WAIT_SECONDS = 60.0
POLL_SECONDS = 1.0


class Network(Step):
    """Wait until the node can be reached."""

    name = "network"

    def __init__(self, interface: str) -> None:
        self.interface = interface

    def desired(self) -> object:
        return {"interface": self.interface}

    def observe(self) -> tuple[str, ...]:
        return ()

    def act(self) -> None:
        """Nothing to do: the installer wrote the profile that NetworkManager applies."""

    def prove(self) -> str:
        end = time.monotonic() + WAIT_SECONDS
        while not address_of(self.interface):
            if time.monotonic() >= end:
                raise Retry(
                    f"{self.interface} has no address",
                    hint="check the cable and the settings in Cockpit, nmtui or nmcli",
                )
            time.sleep(POLL_SECONDS)
        return ""
