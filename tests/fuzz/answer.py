"""Coverage-guided fuzzing of the answer file's parser with atheris, by hand:

    pip install atheris pydantic sh jinja2
    python3 tests/fuzz/answer.py -max_total_time=600 -rss_limit_mb=2048

Every input must end in an answer or in an AnswerError, in bounded time and memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# typeshed has only a part of atheris.
with atheris.instrument_imports(include=["installer", "tomllib"]):  # type: ignore[attr-defined]
    from installer.answers.load import load_answer
    from installer.answers.problems import AnswerError


def one_input(data: bytes) -> None:
    try:
        load_answer(data, "answer", "json" if data[:1] == b"{" else "toml")
    except AnswerError as error:
        str(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
