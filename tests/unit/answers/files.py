"""Answer files for the tests: a minimal one, and changes to it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from installer.answers.load import Loaded, load_answer
from installer.answers.problems import AnswerError

MINIMAL_TOML = """\
[global]
country = "at"
fqdn = "node1.example.com"
keyboard = "de"
mailto = "admin@example.com"
timezone = "Europe/Vienna"
root-password = "correct horse"

[network]
source = "from-dhcp"

[disk-setup]
filesystem = "ext4"
disk-list = ["sda"]
"""
MINIMAL: dict[str, Any] = {
    "global": {
        "country": "at",
        "fqdn": "node1.example.com",
        "keyboard": "de",
        "mailto": "admin@example.com",
        "timezone": "Europe/Vienna",
        "root-password": "correct horse",
    },
    "network": {"source": "from-dhcp"},
    "disk-setup": {"filesystem": "ext4", "disk-list": ["sda"]},
}
REMOVED = object()


def changed(path: str, value: object) -> dict[str, Any]:
    """The minimal answer with one key set, or REMOVED; its tables are made where needed."""
    data = deepcopy(MINIMAL)
    *tables, key = path.split(".")
    table = data
    for name in tables:
        table = table.setdefault(name, {})
    if value is REMOVED:
        del table[key]
    else:
        table[key] = value
    return data


def load(data: object) -> Loaded:
    """Load data as a JSON answer file."""
    return load_answer(json.dumps(data).encode(), "answer.json", "json")


def errors_of(data: object) -> list[str]:
    """The messages about data, each without its place; none when it is valid."""
    try:
        load(data)
    except AnswerError as error:
        return [line.split(": ", 1)[1] for line in error.lines]
    return []


def errors_of_text(text: str) -> list[str]:
    """The messages about a TOML answer file, each with its place."""
    try:
        load_answer(text.encode(), "answer.toml")
    except AnswerError as error:
        return list(error.lines)
    return []
