"""Measures the server and writes out/serve/bench.json; docs/serve.md says how to read it."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path

from tests.bench.serve import fleet, static
from tests.serve.process import serving

RESULT = Path(__file__).resolve().parents[3] / "out/serve/bench.json"
FILE_BYTES = 64 << 20


def main() -> None:
    """Run all measurements against one server."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = Path(name)
        with serving(folder, file_bytes=FILE_BYTES) as server:
            print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)
            result: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
            result["static"] = static.compare(server)
            for name, measure in (("fleet", fleet.power_on), ("burst", fleet.burst)):
                before = processor_seconds(server.process.pid)
                result[name] = asyncio.run(measure(server))
                used = processor_seconds(server.process.pid) - before
                result[f"{name}_processor_seconds"] = round(used, 2)
                print(f"  the server without nginx used {used:.1f} s of processor time", flush=True)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(RESULT)


def processor_seconds(process: int) -> float:
    """The processor time of a process so far: how much is left of a core does not change it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
