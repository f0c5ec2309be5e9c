"""Measures the server and writes out/serve/bench.json; docs/serve.md says how to read it."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from tests.bench.serve import fleet, static
from tests.serve.process import serving

RESULT = Path(__file__).resolve().parents[3] / "out/serve/bench.json"
FILE_BYTES = 64 << 20
WATCH_SECONDS = 3


def main() -> None:
    """Run all measurements against one server."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = Path(name)
        with serving(folder, file_bytes=FILE_BYTES) as server:
            others = [busy_share()]
            print(f"{os.cpu_count()} cores, others use {others[0]:.0%} of them", flush=True)
            result: dict[str, object] = {"cores": os.cpu_count(), "others": others}
            result["static"] = static.compare(server)
            for name, measure in (("fleet", fleet.power_on), ("burst", fleet.burst)):
                before = processor_seconds(server.process.pid)
                result[name] = asyncio.run(measure(server))
                used = processor_seconds(server.process.pid) - before
                result[f"{name}_processor_seconds"] = round(used, 2)
                print(f"  the server without nginx used {used:.1f} s of processor time", flush=True)
                others.append(busy_share())
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


def busy_share() -> float:
    """The share of the processors' time that others use, while nothing is measured."""
    before = _busy_and_total()
    time.sleep(WATCH_SECONDS)
    busy, total = (after - then for after, then in zip(_busy_and_total(), before, strict=True))
    return round(busy / total, 3)


def _busy_and_total() -> tuple[int, int]:
    ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting = ticks[3:5]
    return sum(ticks) - idle - waiting, sum(ticks)


def processor_seconds(process: int) -> float:
    """The processor time of a process so far: how much is left of a core does not change it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
