"""The box's own authority and certificates, checked by OpenSSL as a client would."""

from __future__ import annotations

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from edge_agent.provision import pki

NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "pki"
    pki.ensure_authority(there, now=NOW)
    pki.ensure_server(there, "broker", hosts=["mamori.local", "192.0.2.7"], now=NOW)
    return there


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def handshake(folder: Path, host: str, *, authority: Path | None = None) -> None:
    """Shake hands in memory; raise `ssl.SSLError` where a client would refuse."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(folder / "broker.crt", folder / "broker.key")
    client_context = ssl.create_default_context(cafile=str(authority or folder / "ca.crt"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    client.do_handshake()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "mamori.local", "192.0.2.7", socket.gethostname()])
def test_a_client_that_has_our_authority_trusts_the_broker_by_all_its_names(folder: Path, host: str) -> None:
    handshake(folder, host)


def test_a_client_refuses_another_name_and_another_authority(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname"):
        handshake(folder, "elsewhere.local")
    pki.ensure_authority(tmp_path / "other", now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(folder, "localhost", authority=tmp_path / "other/ca.crt")


def test_keys_are_readable_by_the_appliance_alone_and_nothing_is_left_lying_about(folder: Path) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {"ca.key": 0o600, "broker.key": 0o600, "ca.crt": 0o644, "broker.crt": 0o644}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_brokers_certificate_can_neither_sign_nor_pose_as_a_client(folder: Path) -> None:
    extensions = certificate(folder, "broker").extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    authority = certificate(folder, "ca").extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (authority.ca, authority.path_length) == (True, 0)


def test_what_is_good_is_left_alone(folder: Path) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert not pki.ensure_authority(folder, now=NOW)
    assert not pki.ensure_server(folder, "broker", hosts=["mamori.local"], now=NOW)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_certificate_is_renewed_two_months_before_it_ends(folder: Path) -> None:
    end = certificate(folder, "broker").not_valid_after_utc
    almost = end - pki.RENEW_BEFORE - timedelta(seconds=1)
    hosts = ["mamori.local", "192.0.2.7"]
    assert not pki.ensure_server(folder, "broker", hosts=hosts, now=almost)
    assert pki.ensure_server(folder, "broker", hosts=hosts, now=almost + timedelta(seconds=1))
    assert certificate(folder, "broker").not_valid_after_utc > end


def test_a_box_that_is_called_by_another_name_gets_a_certificate_for_it(folder: Path) -> None:
    assert pki.ensure_server(folder, "broker", hosts=["new-name.local"], now=NOW)
    handshake(folder, "new-name.local")


def test_a_new_authority_signs_the_broker_anew(folder: Path) -> None:
    (folder / "ca.key").unlink()
    assert pki.ensure_authority(folder, now=NOW)
    assert pki.ensure_server(folder, "broker", hosts=["mamori.local"], now=NOW)
    handshake(folder, "mamori.local")
