"""The cluster's authority, checked with OpenSSL where it matters."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from agent.cluster import authority
from agent.cluster.authority import Authority, Revoked
from agent.core.command import Result, run
from agent.core.errors import SlipwayError

NOW = datetime.datetime.now(datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ADDRESSES = ("192.0.2.7", "2001:db8::7")


@pytest.fixture(scope="module")
def lab() -> Authority:
    return Authority.create("lab", NOW)


def verify(folder: Path, lab: Authority, pem: str, *arguments: str, crl: str = "") -> Result:
    (folder / "ca.pem").write_text(authority.pem(lab.certificate) + crl)
    (folder / "node.pem").write_text(pem)
    paths: list[str | Path] = [
        "-x509_strict",
        "-CAfile",
        folder / "ca.pem",
        *arguments,
        folder / "node.pem",
    ]
    return run(["openssl", "verify", *paths], check=False)


def test_it_comes_back_from_its_text(lab: Authority) -> None:
    again = Authority.load(lab.text())
    assert again.fingerprint == lab.fingerprint
    assert again.key.private_numbers() == lab.key.private_numbers()


def test_key_and_certificate_must_fit(lab: Authority) -> None:
    other = Authority.create("lab", NOW)
    with pytest.raises(SlipwayError, match="do not fit"):
        Authority.load(authority.pem(lab.certificate) + authority.key_pem(other.key))


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(SlipwayError):
        Authority.load(text)


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
@pytest.mark.parametrize(
    "name", [["-verify_hostname", "node7"], *(["-verify_ip", address] for address in ADDRESSES)]
)
def test_openssl_accepts_a_node(
    lab: Authority, tmp_path: Path, purpose: str, name: list[str]
) -> None:
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, NOW)
    result = verify(tmp_path, lab, authority.pem(made), "-purpose", purpose, *name)
    assert result.status == 0, result.stderr


def test_openssl_refuses_another_address(lab: Authority, tmp_path: Path) -> None:
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, NOW)
    assert verify(tmp_path, lab, authority.pem(made), "-verify_ip", "192.0.2.8").status != 0


def test_openssl_refuses_what_is_revoked(lab: Authority, tmp_path: Path) -> None:
    gone, stays = (
        lab.sign(authority.new_key().public_key(), name, ADDRESSES, NOW) for name in ("a", "b")
    )
    crl = lab.revocation_list([Revoked(gone.serial_number, NOW)], NOW)
    refused = verify(tmp_path, lab, authority.pem(gone), "-crl_check", crl=crl)
    assert "certificate revoked" in refused.stderr
    assert verify(tmp_path, lab, authority.pem(stays), "-crl_check", crl=crl).status == 0


def test_the_revocation_list_never_runs_out(lab: Authority, tmp_path: Path) -> None:
    years = NOW + datetime.timedelta(days=3000)
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, years)
    at = ("-crl_check", "-attime", str(int(years.timestamp())))
    crl = lab.revocation_list([], NOW)
    assert verify(tmp_path, lab, authority.pem(made), *at, crl=crl).status == 0


def test_a_clock_that_is_slow_by_less_than_an_hour_does_not_matter(lab: Authority) -> None:
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, NOW)
    assert made.not_valid_before_utc <= NOW - HOUR + datetime.timedelta(seconds=1)


def test_a_certificate_names_its_node(lab: Authority) -> None:
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, NOW)
    assert authority.node_name(made) == "node7"
    assert authority.node_addresses(made) == ADDRESSES


def test_renewal_is_due_in_the_last_third(lab: Authority) -> None:
    made = lab.sign(authority.new_key().public_key(), "node7", ADDRESSES, NOW)
    assert not authority.renewal_due(made, NOW + authority.NODE_LIFETIME * 0.6)
    assert authority.renewal_due(made, NOW + authority.NODE_LIFETIME * 0.7)


def test_a_request_proves_its_key() -> None:
    key = authority.new_key()
    digest = authority.key_digest(key.public_key())
    assert authority.key_digest(authority.requested_key(authority.request(key, "node7"))) == digest


def test_a_request_that_was_changed_is_refused() -> None:
    lines = authority.request(authority.new_key(), "node7").splitlines()
    lines[2] = lines[2][::-1]
    with pytest.raises(SlipwayError):
        authority.requested_key("\n".join(lines))


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())]
)
def test_only_p256_keys_are_taken(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with pytest.raises(SlipwayError, match="P-256"):
        authority.load_key(text.decode())
