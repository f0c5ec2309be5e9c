"""How often one source may ask."""

from __future__ import annotations

from agent.cluster.enrolment.limits import BURST, MAXIMUM_SOURCES, RateLimit, source


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_and_then_one_each_second() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    assert [limit.wait("192.0.2.1") for _ in range(int(BURST))] == [0.0] * int(BURST)
    assert limit.wait("192.0.2.1") == 1.0
    clock.now += 1.0
    assert limit.wait("192.0.2.1") == 0.0
    assert limit.wait("192.0.2.1") > 0.0


def test_sources_do_not_hinder_each_other() -> None:
    limit = RateLimit(Clock())
    limit.charge("192.0.2.1", 100)
    assert limit.wait("192.0.2.1") > 0.0
    assert limit.wait("192.0.2.2") == 0.0


def test_what_was_refused_costs_more_and_is_forgiven() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    limit.charge("192.0.2.1", 1000)
    clock.now += 2 * BURST + 1
    assert limit.wait("192.0.2.1") == 0.0


def test_memory_is_bounded_however_many_ask() -> None:
    limit = RateLimit(Clock())
    for number in range(3 * MAXIMUM_SOURCES):
        limit.wait(f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")
    assert len(limit) == MAXIMUM_SOURCES


def test_a_host_is_its_ipv4_address_or_its_ipv6_network() -> None:
    assert source("::ffff:192.0.2.1") == source("192.0.2.1")
    assert source("2001:db8::1") == source("2001:db8::ffff")
    assert source("2001:db8::1") != source("2001:db8:0:1::1")
    assert source("fe80::1%eth0") == source("fe80::2%eth1")
