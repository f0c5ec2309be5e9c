"""udev's database: what `udevadm info --export-db` prints."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Device:
    """One device. path: below /sys; links: names below /dev; properties: "E:" lines."""

    path: str
    links: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def is_virtual(self) -> bool:
        return self.path.startswith("/devices/virtual/")


def parse_database(text: str) -> tuple[Device, ...]:
    """All devices of the database, in its order."""
    return tuple(_parse_device(record) for record in text.strip().split("\n\n") if record)


def _parse_device(record: str) -> Device:
    path = ""
    links = []
    properties = {}
    for line in record.splitlines():
        key, _, value = line.partition(": ")
        if key == "P":
            path = value
        elif key == "S":
            links.append(f"/dev/{value}")
        elif key == "E":
            name, _, content = value.partition("=")
            properties[name] = content
    return Device(path, tuple(sorted(links)), properties)
