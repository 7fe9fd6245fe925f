"""Signing in at a FHIR server: client secret, signed assertion, a token that is kept and renewed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from providers.adapters.fhir import tokens
from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.options import options_of
from providers.adapters.http import Deadline
from providers.adapters.settings import BadSettings
from providers.port import Confirmed, LookUp, NotFound, ProviderError, RetryAfter
from tests.fhir_servers import FhirTenant
from tests.providers.fhir.wishes import wish


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    """None is kept from another test."""
    tokens._kept.clear()
    yield
    tokens._kept.clear()


def key_pair(algorithm: str) -> tuple[str, str]:
    """A private key and its public half, in PEM."""
    key = rsa.generate_private_key(65537, 2048) if algorithm == "RS384" else ec.generate_private_key(ec.SECP384R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_an_assertion_signed_with_our_private_key_opens_the_server(
    hospital: FhirTenant, slots: list[str], algorithm: str
) -> None:
    private, public = key_pair(algorithm)
    hospital.configure(client={"id": "anxiang", "kid": "k-1", "algorithm": algorithm, "key": public})
    settings = {"auth": "private_key_jwt", "client_id": "anxiang", "key_id": "k-1", "algorithm": algorithm}
    adapter = Fhir(hospital.connection(private, **settings))
    assert isinstance(adapter.reserve(wish(hospital, slots[0])), Confirmed)
    assert hospital.tokens_given() == 1
    stranger = Fhir(hospital.connection(key_pair(algorithm)[0], **settings))
    assert stranger.reserve(wish(hospital, slots[1])) == RetryAfter(60.0)
    assert len(hospital.live()) == 1


def test_a_client_secret_opens_the_server_and_a_wrong_one_refuses_no_customer(
    hospital: FhirTenant, slots: list[str]
) -> None:
    hospital.configure(client={"id": "anxiang", "secret": "s3 cret:/"})
    settings = {"auth": "client_credentials", "client_id": "anxiang"}
    adapter = Fhir(hospital.connection("s3 cret:/", **settings))
    assert isinstance(adapter.reserve(wish(hospital, slots[0])), Confirmed)
    wrong = Fhir(hospital.connection("another", **settings))
    assert wrong.reserve(wish(hospital, slots[1])) == RetryAfter(60.0)
    assert wrong.look_up(LookUp("k", "bkg_x")) == RetryAfter(60.0)
    with pytest.raises(ProviderError):
        wrong.bookings_since(None, None)


def test_a_token_is_kept_for_all_adapters_and_renewed_when_it_ends_or_is_refused(
    hospital: FhirTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital.configure(client={"id": "anxiang", "secret": "s", "seconds": 100})
    settings = {"auth": "client_credentials", "client_id": "anxiang"}
    for _ in range(3):
        assert Fhir(hospital.connection("s", **settings)).look_up(LookUp("", "bkg_x")) == NotFound()
    assert hospital.tokens_given() == 1
    hospital.configure(forget_tokens=True)
    assert Fhir(hospital.connection("s", **settings)).look_up(LookUp("", "bkg_x")) == NotFound()
    assert hospital.tokens_given() == 2
    now = tokens.time.monotonic()
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now + 81)
    known = hospital.connection("s", **settings)
    assert tokens.Tokens(known, options_of(known)).header(Deadline(10)) != {}
    assert hospital.tokens_given() == 3


@pytest.mark.parametrize(
    "told", ["http://10.0.0.1/token", "http://169.254.169.254/token", "ftp://x/y", "https://a b/", "https://["]
)
def test_our_credentials_go_to_no_address_of_an_inner_network_that_the_server_tells(
    hospital: FhirTenant, slots: list[str], told: str
) -> None:
    hospital.configure(client={"id": "anxiang", "secret": "s"}, token_endpoint=told)
    adapter = Fhir(hospital.connection("s", auth="client_credentials", client_id="anxiang"))
    assert adapter.reserve(wish(hospital, slots[0])) == RetryAfter(5.0, reached=False)


def test_a_token_endpoint_may_be_set(hospital: FhirTenant) -> None:
    hospital.configure(client={"id": "anxiang", "secret": "s"}, token_endpoint="http://10.0.0.1/token")
    given = {"auth": "client_credentials", "client_id": "anxiang", "token_url": f"{hospital.url}/token"}
    assert Fhir(hospital.connection("s", **given)).look_up(LookUp("", "bkg_x")) == NotFound()
    tokens._kept.clear()
    wrong = hospital.connection("s", **{**given, "token_url": "https://["})
    assert Fhir(wrong).look_up(LookUp("", "bkg_x")) == RetryAfter(5.0, reached=False)


def test_a_token_that_does_not_end_is_sent_as_it_is(hospital: FhirTenant) -> None:
    hospital.configure(bearer="fixed-token")
    assert Fhir(hospital.connection("fixed-token", auth="bearer")).look_up(LookUp("", "bkg_x")) == NotFound()
    assert Fhir(hospital.connection("other", auth="bearer")).look_up(LookUp("", "bkg_x")) == RetryAfter(60.0)


def test_how_it_is_tried_may_be_set_and_says_nothing_of_how_it_is_called(hospital: FhirTenant) -> None:
    tried = hospital.connection(test_url="https://test.example", test_offer="BASIC", test_pool="pool-1")
    assert options_of(tried) == options_of(hospital.connection())
    Fhir(tried)


def test_settings_that_are_not_declared_or_not_to_be_understood_are_refused_by_name(hospital: FhirTenant) -> None:
    for wrong in ({"auth": "magic"}, {"page_size": "0"}, {"pagesize": "10"}, {"books_as": "maybe"}):
        with pytest.raises(BadSettings) as refused:
            Fhir(hospital.connection(**wrong))
        assert set(refused.value.fields) == set(wrong)
