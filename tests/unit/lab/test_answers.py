"""The laboratory's answers are such as the installer takes."""

from __future__ import annotations

import pytest

from installer.answers.load import load_answer
from tests.lab.answers import FQDN, answer, as_toml
from tests.lab.layouts import LAYOUTS

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl lab"


@pytest.mark.parametrize("dhcp", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_answers_are_valid(layout: str, dhcp: bool) -> None:
    text = as_toml(answer(LAYOUTS[layout], KEY, dhcp=dhcp))
    loaded = load_answer(text.encode(), "answer.toml")
    assert loaded.warnings == ()
    assert loaded.answer.global_.fqdn == FQDN
