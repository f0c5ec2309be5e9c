"""Join tokens: their text, what the members keep of them, and what lets a node in."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cluster import token
from agent.cluster.token import Record, Token
from agent.core.errors import SlipwayError

NOW = 1_800_000_000
MADE = token.issue(["192.0.2.1:2226", "[2001:db8::1]:2226"], "ab" * 32, NOW + 60, "node2")


def test_a_token_is_one_word_and_comes_back() -> None:
    word = MADE.encode()
    assert not set(word) & set(" \n+/=")
    assert Token.decode(f"  {word[:40]}\n{word[40:]}\n") == MADE


def test_the_secret_is_not_shown() -> None:
    assert MADE.secret not in repr(MADE)


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SlipwayError):
        Token.decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(["v", "s", "fp", "id", "k", "n", "e", "x"]), JSON)
def test_a_changed_field_gives_another_good_token_or_an_error(key: str, value: object) -> None:
    fields = json.loads(MADE.model_dump_json(by_alias=True)) | {key: value}
    text = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    try:
        made = Token.decode(text)
    except SlipwayError as error:
        assert MADE.secret not in str(error)
    else:
        assert Token.decode(made.encode()) == made


def test_another_version_is_named() -> None:
    fields = json.loads(MADE.model_dump_json(by_alias=True)) | {"v": 2}
    with pytest.raises(SlipwayError, match="another version"):
        Token.decode(base64.urlsafe_b64encode(json.dumps(fields).encode()).decode())


@pytest.mark.parametrize("replace", [False, True])
def test_a_record_comes_back_and_holds_no_secret(replace: bool) -> None:
    record = MADE.record(replace=replace)
    assert Record.parse(str(record)) == record
    assert MADE.secret not in str(record)


@given(st.text())
def test_a_damaged_record_is_refused(text: str) -> None:
    with pytest.raises(SlipwayError):
        Record.parse(text)


@pytest.mark.parametrize(
    ("secret", "node", "now", "accepted"),
    [
        (MADE.secret, "node2", NOW, True),
        ("x" * 43, "node2", NOW, False),
        (MADE.secret, "node3", NOW, False),
        (MADE.secret, "node2", NOW + 60, False),
    ],
)
def test_what_lets_a_node_in(secret: str, node: str, now: float, accepted: bool) -> None:
    assert token.accepts(MADE.record(), secret, node, now) is accepted


def test_a_token_without_a_name_is_for_any_node() -> None:
    made = token.issue(["192.0.2.1:2226"], "ab" * 32, NOW + 60)
    assert token.accepts(made.record(), made.secret, "node7", NOW)


def test_an_unknown_token_lets_nobody_in() -> None:
    assert not token.accepts(None, MADE.secret, "node2", NOW)
