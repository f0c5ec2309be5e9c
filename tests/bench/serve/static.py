"""Static files: this server against a plain nginx with the same files, in turns."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from agent.core.command import run
from image.serve import front
from tests.serve.process import Serving, free_ports

ROUNDS = 10
SECONDS = 3
CONNECTIONS = 32
FILES = {"image of 64 MiB": "live/10-node.squashfs", "file of 1 kB": "undionly.kpxe"}
RATE = re.compile(r"Transfer/sec:\s+([0-9.]+)([KMG]?)B")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LIMIT = 30


def compare(server: Serving) -> dict[str, object]:
    """Bytes per second of both and their ratio, the median of some rounds, for each file."""
    result: dict[str, object] = {}
    with plain_nginx(server.folder) as plain:
        for what, path in FILES.items():
            rates: dict[str, list[float]] = {"server": [], "nginx": []}
            urls = {"server": f"{server.http}/netboot/{path}", "nginx": f"{plain}/{path}"}
            for number in range(ROUNDS):
                # Each is first as often as the other.
                for name in sorted(urls, reverse=bool(number % 2)):
                    rates[name].append(measure(urls[name]))
            ratio = median(rates["server"]) / median(rates["nginx"])
            result[what] = {name: median(values) for name, values in rates.items()} | {
                "ratio": round(ratio, 3)
            }
            print(
                f"{what}: {median(rates['server']) / 1e6:.0f} MB/s, plain nginx "
                f"{median(rates['nginx']) / 1e6:.0f} MB/s, ratio {ratio:.2f}",
                flush=True,
            )
    return result


def measure(url: str) -> float:
    """Bytes per second that wrk gets."""
    said = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url]).stdout
    found = RATE.search(said)
    assert found and "Non-2xx" not in said, said
    return float(found[1]) * UNITS[found[2]]


@contextmanager
def plain_nginx(folder: Path) -> Iterator[str]:
    """An nginx with Debian's settings that matter, for the same files."""
    port = free_ports(1)[0]
    path = folder / "plain.conf"
    path.write_text(
        f"daemon off; pid {folder}/plain.pid; error_log stderr; worker_processes auto;\n"
        f"user {front.web_user(folder / 'netboot')};\n"
        "events { worker_connections 768; }\n"
        "http { sendfile on; tcp_nopush on; access_log off;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}/netboot; }} }}\n"
    )
    process = subprocess.Popen(["nginx", "-p", folder, "-e", "stderr", "-c", path])
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + LIMIT
        while not answers(url):
            assert time.monotonic() < end, "the plain nginx does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(LIMIT)


def answers(url: str) -> bool:
    """Whether anything answers there."""
    try:
        httpx.head(f"{url}/undionly.kpxe")
    except httpx.TransportError:
        return False
    return True
