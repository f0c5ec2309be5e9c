"""The server's certificate: the one given, or one that it makes for itself and keeps."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.core.errors import SlipwayError
from agent.core.files import write_atomically

# Machines trust it by its fingerprint; its end is only there because there must be one.
VALID = timedelta(days=3650)
# The clocks of machines that were never started may be behind.
BEFORE = timedelta(days=365)


@dataclass(frozen=True)
class Certificate:
    """Files in PEM. fingerprint: SHA-256 of the certificate, hexadecimal."""

    certificate: Path
    key: Path
    fingerprint: str


def read(certificate: Path, key: Path) -> Certificate:
    """A certificate that was given. Raises SlipwayError."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(error.filename)) from None
    except (ValueError, TypeError) as error:
        raise SlipwayError(
            f"this is no certificate with its key: {error}", where=f"{certificate}, {key}"
        ) from None
    if private.public_key() != loaded.public_key():
        raise SlipwayError("the key is not that of the certificate", where=str(key))
    return Certificate(certificate, key, _fingerprint(loaded))


def own(folder: Path, address: str) -> Certificate:
    """The server's own certificate for this address; made if there is none yet."""
    certificate, key = folder / f"{address}.crt.pem", folder / f"{address}.key.pem"
    if not (certificate.exists() and key.exists()):
        _make(certificate, key, address)
    return read(certificate, key)


def _make(certificate: Path, key: Path, address: str) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_name(address)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_atomically(key, text.decode(), mode=0o600)
    write_atomically(certificate, made.public_bytes(serialization.Encoding.PEM).decode())


def _name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
