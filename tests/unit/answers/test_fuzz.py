"""Whatever the bytes are: a valid answer or an AnswerError, whose text is fit for a terminal."""

from __future__ import annotations

import json
import random
from typing import Any, Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from installer.answers.load import load_answer
from installer.answers.problems import AnswerError
from installer.answers.schema import json_schema
from tests.unit.answers.files import MINIMAL, MINIMAL_TOML

FORMATS: tuple[Literal["toml", "json"], ...] = ("toml", "json")


def try_to_load(content: bytes, format: Literal["toml", "json"]) -> None:
    try:
        load_answer(content, "answer", format)
    except AnswerError as error:
        assert error.lines
        assert str(error).replace("\n", "").isprintable()


def all_keys(node: Any) -> set[str]:
    """Every key that the schema knows anywhere."""
    if isinstance(node, list):
        return {key for item in node for key in all_keys(item)}
    if not isinstance(node, dict):
        return set()
    return set(node.get("properties", ())) | {x for v in node.values() for x in all_keys(v)}


# A loaded machine is not a failure.
UNHURRIED = settings(deadline=None)
KEYS = sorted(all_keys(json_schema()))
texts = st.text(max_size=20) | st.sampled_from(["from-dhcp", "zfs", "raid1", "10.0.0.1/8", "sda"])
keys = st.sampled_from(KEYS) | st.text(max_size=8)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)


@settings(UNHURRIED)
@given(st.binary(max_size=400), st.sampled_from(FORMATS))
@example(b"\xef\xbb\xbf", "toml")
@example(b"\x00", "json")
def test_any_bytes(content: bytes, format: Literal["toml", "json"]) -> None:
    try_to_load(content, format)


@settings(UNHURRIED)
@given(data)
def test_any_data_with_known_keys(content: object) -> None:
    try_to_load(json.dumps(content).encode(), "json")


@settings(UNHURRIED)
@given(st.dictionaries(st.sampled_from(KEYS), data, max_size=5), data)
def test_a_valid_answer_with_anything_added(added: dict[str, object], inner: object) -> None:
    tables = {name: {**table, **added} for name, table in MINIMAL.items()}
    try_to_load(
        json.dumps({**tables, "cluster": inner, "storage": [inner, added]}).encode(), "json"
    )


@settings(UNHURRIED, max_examples=200)
@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_damaged_answer(chance: random.Random, changes: int) -> None:
    content = bytearray(MINIMAL_TOML.encode())
    for _ in range(changes):
        place = chance.randrange(len(content))
        action = chance.choice(("change", "cut", "repeat"))
        if action == "change":
            content[place] = chance.randrange(256)
        elif action == "cut":
            del content[place : place + chance.randrange(1, 40)]
        else:
            content[place:place] = content[place : place + 60]
        content = content or bytearray(b"=")
    try_to_load(bytes(content), "toml")


@settings(UNHURRIED)
@given(st.integers(1, 3000), st.sampled_from(["[", "{a=", "a.", "[a.", "[[", '"""', "'a'."]))
def test_deep_nesting(depth: int, opening: str) -> None:
    try_to_load(b"a = " + opening.encode() * depth, "toml")
    try_to_load(opening.encode() * depth, "toml")
    try_to_load(opening.encode() * depth, "json")
