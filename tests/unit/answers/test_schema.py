"""The JSON Schema: valid itself, in agreement with the loader, and what the documentation shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from installer.answers.load import load_answer
from installer.answers.reference import reference_tables
from installer.answers.schema import json_schema
from installer.answers.table import kebab_case
from tests.unit.answers import test_keys, test_own_tables
from tests.unit.answers.files import changed

PAGE = Path(__file__).parents[3] / "docs/answer-file.md"
VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(("path", "value"), test_keys.ACCEPTED + test_own_tables.ACCEPTED)
def test_accepts_what_the_loader_accepts(path: str, value: object) -> None:
    data = changed(path, value)
    # Upper-case RAID levels are taken and not proposed.
    if "RAID" not in json.dumps(data):
        VALIDATOR.validate(json.loads(json.dumps(data).replace("arc_max", "arc-max")))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("global.surplus", 1),
        ("global.keyboard", "xx"),
        ("global.country", "AT"),
        ("global.timezone", "Vienna"),
        ("disk-setup.lvm", {"hdsize": 0}),
        ("network.source", "static"),
        ("storage", [{"type": "nfs", "name": "a"}]),
        ("wipe", "all"),
    ],
)
def test_refuses_what_the_loader_refuses(path: str, value: object) -> None:
    assert not VALIDATOR.is_valid(changed(path, value))


def test_proposes_keys_in_kebab_case_only() -> None:
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    for table in tables:
        for key in table.get("properties", ()):
            assert key == kebab_case(key)
            assert table["additionalProperties"] is False


def test_every_key_has_a_meaning() -> None:
    schema = json_schema()
    silent = [
        f"{table['title']}.{key}"
        for table in (schema, *schema["$defs"].values())
        for key, value in table.get("properties", {}).items()
        if not value.get("description") and "const" not in value
    ]
    assert silent == []


def test_secrets_are_marked() -> None:
    definitions: dict[str, Any] = json_schema()["$defs"]
    password = definitions["Global"]["properties"]["root-password"]
    assert any(choice.get("writeOnly") for choice in password["anyOf"])


def test_the_page_shows_the_schema() -> None:
    # When this fails, put the output of "python3 -m installer schema --markdown" there.
    assert PAGE.read_text().partition("## Reference\n")[2].endswith(f"\n\n{reference_tables()}\n")


def test_the_examples_of_the_page_are_valid() -> None:
    blocks = PAGE.read_text().split("```toml\n")[1:]
    assert blocks
    for block in blocks:
        load_answer(block.split("```")[0].encode(), "docs/answer-file.md")
