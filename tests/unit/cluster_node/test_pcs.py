"""What happens when pcsd does not answer; all else of pcs is in the laboratory."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agent.cluster import pcs
from agent.cluster.pcs import Pcsd, PcsFailed


def test_a_question_that_is_never_answered_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcs, "QUESTION_SECONDS", 0.2)
    path = tmp_path / "pcsd.socket"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(PcsFailed, match="pcsd does not answer: timed out"):
            Pcsd(path).members()


def test_without_pcsd(tmp_path: Path) -> None:
    with pytest.raises(PcsFailed, match="pcsd does not answer"):
        Pcsd(tmp_path / "pcsd.socket").members()
