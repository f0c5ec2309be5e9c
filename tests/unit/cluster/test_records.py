"""What members remember: used once, by one key; out of date, gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.cluster import records, removal, token, tokens
from agent.cluster.lock import HELD_SECONDS, NAME, add_lock
from agent.cluster.records import Enrolment, Records
from agent.step import Retry
from tests.unit.cluster.shared import Memory

NOW = 1_800_000_000
MADE = token.issue(["192.0.2.1:2226"], "ab" * 32, NOW + 60, "node2")


def enrolment(key: str = "a", node: str = "node2") -> Enrolment:
    return Enrolment(node, key * 64, NOW + 100, False)


def test_the_same_key_may_try_again_and_another_may_not() -> None:
    shared = Memory()
    assert records.consume(shared, MADE.id, enrolment())
    assert records.consume(shared, MADE.id, enrolment())
    assert not records.consume(shared, MADE.id, enrolment("b"))
    assert not records.consume(shared, MADE.id, enrolment(node="node3"))


def test_of_many_at_once_one_wins() -> None:
    shared = Memory()
    keys = "0123456789abcdef"
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda key: records.consume(shared, MADE.id, enrolment(key)), keys))
    assert won.count(True) == 1


def test_what_is_out_of_date_is_purged_and_nothing_else() -> None:
    shared = Memory()
    late = token.issue(["192.0.2.1:2226"], "ab" * 32, NOW + 1000)
    for made in (MADE, late):
        shared.create(f"token-{made.id}", str(made.record()))
    records.consume(shared, MADE.id, enrolment())
    shared.create("issued-ff", f"node2:{NOW + 50}")
    shared.create("revoked-fe", f"{NOW}:{NOW + 50}")
    shared.create("signer-node1", "yes")
    assert records.purge(shared, NOW + 99) == 3
    assert set(shared.kept) == {f"token-{late.id}", f"used-{MADE.id}", "signer-node1"}
    assert records.purge(shared, NOW + 101) == 1


def test_a_finished_join_leaves_no_trace_of_its_token() -> None:
    shared = Memory()
    shared.create(f"token-{MADE.id}", str(MADE.record()))
    records.consume(shared, MADE.id, enrolment())
    records.finish(shared, MADE.id)
    assert not shared.kept


def test_a_damaged_token_record_lets_nobody_in() -> None:
    assert not Records({"token-0123": "rubbish"}).tokens()


def test_a_revoked_token_is_useless_also_for_who_is_joining_with_it() -> None:
    shared = Memory()
    shared.create(f"token-{MADE.id}", str(MADE.record()))
    records.consume(shared, MADE.id, enrolment())
    tokens.revoke(shared, MADE.id)
    assert not shared.kept


def test_what_a_removed_node_had_is_revoked() -> None:
    shared = Memory()
    shared.create("issued-ff", f"node2:{NOW}")
    shared.create("issued-fe", f"node1:{NOW}")
    shared.create("signer-node2", "yes")
    shared.create(f"token-{MADE.id}", str(MADE.record()))
    records.consume(shared, MADE.id, enrolment())
    removal.disown("node2", shared)
    known = Records(shared.texts())
    assert [revocation.serial for revocation in known.revocations()] == [0xFF]
    assert [certificate.serial for certificate in known.certificates()] == [0xFE]
    assert not (known.tokens() or known.enrolments() or known.signers())


def test_the_add_lock_is_for_one() -> None:
    shared = Memory()
    with add_lock(shared, "node1", lambda: NOW):
        with pytest.raises(Retry, match="another member"):
            with add_lock(shared, "node2", lambda: NOW + HELD_SECONDS - 1):
                pass
    with add_lock(shared, "node2", lambda: NOW):
        assert shared.kept[NAME].startswith("node2:")
    assert not shared.kept


def test_a_dead_holder_is_waited_for_and_then_replaced() -> None:
    shared = Memory()
    shared.create(NAME, f"node1:abc:{NOW}")
    with add_lock(shared, "node2", lambda: NOW + 1):
        assert shared.kept[NAME].startswith("node2:")


def test_what_the_same_member_left_is_taken_over_at_once() -> None:
    shared = Memory()
    shared.create(NAME, f"node1:abc:{NOW + 100}")
    with add_lock(shared, "node1", lambda: NOW):
        assert shared.kept[NAME] != f"node1:abc:{NOW + 100}"


def test_a_holder_that_lost_its_lock_does_not_remove_the_next_ones() -> None:
    shared = Memory()
    with add_lock(shared, "node1", lambda: NOW):
        shared.replace(NAME, "node2:def:9")
    assert shared.kept[NAME] == "node2:def:9"
