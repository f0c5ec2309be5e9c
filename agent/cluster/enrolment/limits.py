"""How often one source may ask: a token bucket for each, in bounded memory."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# A joining node asks two or three times, and again after 1, 2, 4 … 30 s.
BURST = 20.0
PER_SECOND = 1.0
# What a refused token costs: after three of them a source waits five seconds for each more.
REFUSED_COST = 5.0
# A source is an IPv4 address or an IPv6 network of this size, as one host can have all of it.
IPV6_PREFIX = 64
MAXIMUM_SOURCES = 4096


@dataclass
class _Bucket:
    level: float
    at: float


class RateLimit:
    """Buckets by source; the source that was silent longest is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, host: str, cost: float = 1.0) -> float:
        """0 when this source may ask, and it is counted; else the seconds until it may."""
        bucket = self._bucket(source(host))
        if bucket.level < cost:
            return (cost - bucket.level) / PER_SECOND
        bucket.level -= cost
        return 0.0

    def charge(self, host: str, cost: float) -> None:
        """Count more against a source, below zero if need be."""
        bucket = self._bucket(source(host))
        bucket.level = max(bucket.level - cost, -BURST)

    def __len__(self) -> int:
        return len(self._buckets)

    def _bucket(self, name: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(name, None) or _Bucket(BURST, now)
        bucket.level = min(BURST, bucket.level + (now - bucket.at) * PER_SECOND)
        bucket.at = now
        self._buckets[name] = bucket
        if len(self._buckets) > MAXIMUM_SOURCES:
            self._buckets.popitem(last=False)
        return bucket


def source(host: str) -> str:
    """What requests are counted by: the IPv4 address or the IPv6 network of a host."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
