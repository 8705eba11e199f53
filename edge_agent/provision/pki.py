"""The box's own certificate authority and the certificates it signs: EC P-256, kept on the box alone."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_YEARS = 10
SERVER_DAYS = 825
"""Longest life of a server certificate that Apple's and others' clients accept."""
RENEW_BEFORE = timedelta(days=60)


def ensure_authority(folder: Path, *, now: datetime) -> bool:
    """Create ca.crt and ca.key in `folder` unless they are there; return whether they were created."""
    if (folder / "ca.crt").is_file() and (folder / "ca.key").is_file():
        return False
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mamori"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Mamori CA {os.urandom(4).hex()}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificate_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _pem(key), secret=True)
    _write(folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM), secret=False)
    return True


def ensure_server(folder: Path, name: str, *, hosts: Iterable[str], now: datetime) -> bool:
    """Create `name`.crt and `name`.key, signed by the authority in `folder`, unless they are there and good.

    Good is a certificate that lasts, names every host, and is signed by this very authority. `hosts` are DNS names
    and addresses; loopback is always among them. Returns whether they were created.
    """
    certificate_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts])
    alternatives = x509.SubjectAlternativeName([_general_name(host) for host in names])
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    if certificate_file.is_file() and key_file.is_file():
        present = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        lasts = present.not_valid_after_utc - now > RENEW_BEFORE
        if lasts and _signed_by(authority, present) and set(alternatives) <= set(_alternatives(present)):
            return False
    authority_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        msg = f"{folder / 'ca.key'} is not an EC key"
        raise TypeError(msg)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"mamori {name}")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=SERVER_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificate_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(key_file, _pem(key), secret=True)
    _write(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), secret=False)
    return True


def fingerprint(certificate_file: Path) -> str:
    """Return the SHA-256 of a certificate as browsers show it, in pairs with colons."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _signed_by(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _usage(*, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, *, secret: bool) -> None:
    """Write whole or not at all; a secret is never readable by others, not even for a moment."""
    new = file.with_suffix(file.suffix + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644), "wb") as stream:
        stream.write(content)
    new.replace(file)
