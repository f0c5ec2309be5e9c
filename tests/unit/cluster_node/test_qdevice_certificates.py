"""What the quorum device's server signs for the cluster, and what pcs is told of it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.cluster import authority, qdevice_certificates
from agent.cluster.folder import Folder
from agent.cluster.qdevice_certificates import Credentials, check_cluster, parse
from agent.core.command import run
from agent.core.errors import SlipwayError

BEGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def certificate(name: str, key: rsa.RSAPrivateKey, issuer: str, signed: rsa.RSAPrivateKey) -> str:
    """As corosync-qnetd's certutil makes them: names, and nothing else."""
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(103)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + datetime.timedelta(days=36500))
        .sign(signed, hashes.SHA256())
    )
    return authority.pem(made)


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SERVER, OWN = new_key(), new_key()
AUTHORITY = certificate("QNet CA", SERVER, "QNet CA", SERVER)
CLUSTER = certificate("lab", OWN, "QNet CA", SERVER)
GOOD = Credentials(AUTHORITY, CLUSTER, private(OWN))


@pytest.mark.parametrize("text", [GOOD.text(), GOOD.key + GOOD.certificate + GOOD.authority])
def test_certificates_and_key_in_any_order(text: str) -> None:
    given = parse(text)
    assert given == GOOD
    check_cluster(given, "lab")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "two certificates and a private key"),
        (AUTHORITY + CLUSTER, "a private key"),
        (GOOD.key, "two certificates"),
        (AUTHORITY + GOOD.key, "is missing"),
        (CLUSTER + GOOD.key, "is missing"),
        (AUTHORITY + CLUSTER + private(SERVER), "not that of the certificate"),
        (certificate("QNet CA", OWN, "QNet CA", OWN) + CLUSTER + GOOD.key, "not of the server"),
    ],
)
def test_what_does_not_fit_is_named_without_the_key(text: str, said: str) -> None:
    with pytest.raises(SlipwayError, match=said) as caught:
        parse(text)
    assert "PRIVATE" not in str(caught.value)


def test_a_certificate_for_another_cluster() -> None:
    with pytest.raises(SlipwayError, match="is for lab, and the cluster is rack"):
        check_cluster(GOOD, "rack")


def test_the_key_is_not_shown() -> None:
    assert GOOD.key not in repr(GOOD)


def test_pcs_is_told_the_authority_while_the_device_is_added(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(folder.quorum_device, GOOD.text())
    assert qdevice_certificates.answer("authority", folder) == AUTHORITY


def test_the_key_goes_into_the_database_before_its_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """openssl is real; NSS is in the laboratory (tests/cluster/test_qdevice.py)."""
    imported: list[str] = []

    def fake(argv: list[str | Path], **options: object) -> object:
        if argv[0] != "pk12util":
            return run(argv)
        shown = ["openssl", "pkcs12", "-in", argv[2], "-passin", "pass:", "-noenc"]
        imported.append(run(shown).stdout)
        return None

    monkeypatch.setattr(qdevice_certificates, "run", fake)
    folder = Folder(tmp_path)
    folder.write(folder.quorum_device, GOOD.text())
    assert qdevice_certificates.answer("cluster", folder) == CLUSTER
    assert GOOD.key in imported[0] and CLUSTER in imported[0]
    assert "friendlyName: Cluster Cert" in imported[0]
