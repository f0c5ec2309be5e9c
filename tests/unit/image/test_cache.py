"""Build steps: the same inputs are made once, an interrupted step is never taken for finished."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image.cache import KEPT, Cache, Step, content_id, digest_of


def nothing(_: str) -> None:
    return None


def make_step(cache_inputs: dict[str, str], text: str = "made") -> Step:
    return Step("tree", cache_inputs, lambda folder, _: _write(folder / "file", text))


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def test_a_result_is_found_by_its_inputs(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    step = make_step({"packages": "a b"})
    assert cache.find(step) is None
    made = cache.make(step, nothing)
    assert (made / "file").read_text() == "made"
    assert cache.find(make_step({"packages": "a b"})) == made
    assert cache.find(make_step({"packages": "a c"})) is None


def test_an_interrupted_step_is_made_again(tmp_path: Path) -> None:
    def stop(folder: Path, _: object) -> None:
        _write(folder / "half", "")
        raise KeyboardInterrupt

    cache = Cache(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        cache.make(Step("tree", {"a": "1"}, stop), nothing)
    assert cache.find(make_step({"a": "1"})) is None
    made = cache.make(make_step({"a": "1"}), nothing)
    assert sorted(path.name for path in made.iterdir()) == ["file", "inputs.json", "seconds"]


def test_why_names_the_inputs_that_changed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.why(make_step({"a": "1"})) == "never built"
    cache.make(make_step({"a": "1", "b": "1"}), nothing)
    assert cache.why(make_step({"a": "1", "b": "2", "c": "3"})) == "changed: b, c"


def test_old_results_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(KEPT + 2):
        made = cache.make(make_step({"a": str(number)}), nothing)
        os.utime(made, (number, number))
    assert len(list((tmp_path / "tree").iterdir())) == KEPT
    assert cache.find(make_step({"a": str(KEPT + 1)}))


def test_the_order_of_inputs_does_not_matter() -> None:
    assert content_id({"a": "1", "b": "2"}) == content_id({"b": "2", "a": "1"})
    assert content_id({"a": "1", "b": "2"}) != content_id({"a": "2", "b": "1"})


def test_digest_sees_names_contents_and_modes(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("1")
    digests = {digest_of([tmp_path / "src"], tmp_path)}
    (tmp_path / "src" / "a").write_text("2")
    digests.add(digest_of([tmp_path / "src"], tmp_path))
    (tmp_path / "src" / "a").chmod(0o755)
    digests.add(digest_of([tmp_path / "src"], tmp_path))
    (tmp_path / "src" / "a").rename(tmp_path / "src" / "b")
    digests.add(digest_of([tmp_path / "src"], tmp_path))
    assert len(digests) == 4
