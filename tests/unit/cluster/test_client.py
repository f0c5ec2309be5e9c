"""The joining node against a real endpoint over TLS."""

from __future__ import annotations

import datetime
import socket
from pathlib import Path

import pytest

from agent.cluster import authority, identity
from agent.cluster.authority import Authority
from agent.cluster.client import Members, NoQuorum, difference
from agent.cluster.enrolment.decide import NO_QUORUM
from agent.cluster.enrolment.messages import (
    Answer,
    Enrol,
    EnrolRequest,
    Message,
    Ready,
    ReadyRequest,
    RenewRequest,
)
from agent.step import Retry, WaitForOperator
from tests.unit.cluster.endpoint import Ask, Running, no_answer, running

DAY = datetime.timedelta(days=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def answering(*answers: Answer) -> tuple[Ask, list[Message]]:
    heard: list[Message] = []
    waiting = list(answers)

    async def ask(message: Message) -> Answer:
        heard.append(message)
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return ask, heard


def request(member: Running) -> EnrolRequest:
    return EnrolRequest(
        id="0" * 16,
        secret="s" * 43,
        node="node2",
        addresses=["127.0.0.1"],
        request=authority.request(identity.own_key(member.folder), "node2"),
    )


def members(member: Running, *others: str) -> Members:
    return Members([*others, member.address], member.authority.fingerprint, member.folder)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_node_is_given_what_the_member_answers(tmp_path: Path, host: str) -> None:
    ask, heard = answering(Answer(certificate="PEM"))
    with running(tmp_path, ask, host=host) as member:
        assert members(member).ask("/v1/enrol", request(member)).certificate == "PEM"
        key = authority.public_pem(identity.own_key(member.folder).public_key())
    [told] = heard
    assert isinstance(told, Enrol) and told.key == key


def test_an_impostor_is_told_nothing(tmp_path: Path) -> None:
    with running(tmp_path, no_answer) as member:
        other = Authority.create("lab", now())
        asking = Members([member.address], other.fingerprint, member.folder)
        with pytest.raises(Retry, match="another cluster.*nothing was sent"):
            asking.ask("/v1/enrol", request(member))
        assert not member.folder.authority.exists()


def test_an_impostor_that_shows_the_right_authority_is_told_nothing(tmp_path: Path) -> None:
    real = Authority.create("lab", now())
    with running(tmp_path, no_answer, other=real) as member:
        asking = Members([member.address], real.fingerprint, member.folder)
        with pytest.raises(Retry, match="certificate is not good"):
            asking.ask("/v1/enrol", request(member))


def test_a_clock_that_is_a_day_off_is_named(tmp_path: Path) -> None:
    with running(tmp_path, no_answer) as member:
        asking = members(member)
        asking.now = lambda: now() - DAY
        with pytest.raises(Retry, match="the clock of this node is 2[34] hours slow"):
            asking.ask("/v1/enrol", request(member))


def test_a_certificate_of_tomorrow_is_named(tmp_path: Path) -> None:
    with running(tmp_path, no_answer, now=now() + DAY) as member:
        with pytest.raises(Retry, match="not yet valid.*a clock is wrong"):
            members(member).ask("/v1/enrol", request(member))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(-10, "10 minutes slow"), (25 * 60, "25 hours fast"), (-72 * 60, "3 days slow")],
)
def test_differences_in_words(minutes: int, text: str) -> None:
    assert difference(datetime.timedelta(minutes=minutes)) == text


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_the_next_member_is_asked_when_one_is_down(tmp_path: Path) -> None:
    ask, _ = answering(Answer(certificate="PEM"))
    with running(tmp_path, ask) as member:
        assert members(member, closed_port()).ask("/v1/enrol", request(member)).certificate


def test_when_all_are_down_each_is_named(tmp_path: Path) -> None:
    down = closed_port()
    with running(tmp_path, no_answer) as member:
        asking = Members([down], member.authority.fingerprint, member.folder)
        with pytest.raises(Retry, match=down):
            asking.ask("/v1/enrol", request(member))


def test_a_node_is_sent_to_the_leader(tmp_path: Path) -> None:
    leading, heard = answering(Answer(certificate="PEM"))
    with running(tmp_path / "1", leading) as leader:
        elsewhere, _ = answering(Answer(status=421, error="elsewhere", leader=leader.address))
        with running(tmp_path / "2", elsewhere) as member:
            # Both are of one cluster only for this test; what counts is who is asked next.
            asking = members(member)
            with pytest.raises(Retry, match=f"{leader.address}: it is of another cluster"):
                asking.ask("/v1/enrol", request(member))
    assert not heard


def test_two_members_that_send_to_each_other_are_left(tmp_path: Path) -> None:
    answers = [Answer(status=421, error="elsewhere", leader="127.0.0.1:1")]
    ask, heard = answering(*answers)
    with running(tmp_path, ask) as member:
        answers[0] = Answer(status=421, error="elsewhere", leader=member.address)
        with pytest.raises(Retry, match="elsewhere"):
            members(member).ask("/v1/enrol", request(member))
    assert len(heard) == 1


@pytest.mark.parametrize(("status", "hint"), [(403, "token create"), (409, "--replace")])
def test_a_refusal_says_what_to_do(tmp_path: Path, status: int, hint: str) -> None:
    ask, _ = answering(Answer(status=status, error="no"))
    with running(tmp_path, ask) as member:
        with pytest.raises(WaitForOperator) as caught:
            members(member).ask("/v1/enrol", request(member))
    assert hint in (caught.value.hint or "")


def test_a_member_that_cannot_now_is_asked_again_later(tmp_path: Path) -> None:
    ask, _ = answering(Answer(status=503, error="members are offline: node3"))
    with running(tmp_path, ask) as member:
        with pytest.raises(Retry, match="node3") as found:
            members(member).ask("/v1/enrol", request(member))
    assert not isinstance(found.value, NoQuorum)


def test_a_cluster_that_waits_for_more_of_its_nodes(tmp_path: Path) -> None:
    """Also when another member is not reached."""
    ask, _ = answering(NO_QUORUM)
    with running(tmp_path, ask) as member:
        with pytest.raises(NoQuorum, match="no quorum"):
            members(member, closed_port()).ask("/v1/enrol", request(member))


READY = ReadyRequest(id="0" * 16, pcsd_token="t" * 64)


def test_to_be_added_takes_a_certificate_of_the_cluster(tmp_path: Path) -> None:
    ask, heard = answering(Answer())
    with running(tmp_path, ask) as member:
        with pytest.raises(WaitForOperator, match="certificate"):
            members(member).ask("/v1/ready", READY)
        other = Authority.create("lab", now())
        identity.certify_self(member.folder, other, "node2", ["127.0.0.1"])
        with pytest.raises(Retry):
            members(member).ask("/v1/ready", READY, identified=True)
        assert not heard
        member.folder.certificate.unlink()
        own = identity.certify_self(member.folder, member.authority, "node2", ["127.0.0.1"])
        members(member).ask("/v1/ready", READY, identified=True)
        members(member).ask("/v1/renew", RenewRequest(), identified=True)
    told = heard[0]
    assert isinstance(told, Ready) and told.certificate == authority.pem(own)
