"""What an insurer's app signs: believed once, for minutes, by a registered key alone; every attack has its refusal."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select, text

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.people import NOON, make_customer, make_insurer
from tests.vip.insurers.app import AUDIENCE, ED, ISSUER, OURS, RSA, THEIRS, insurers_app, jwks, later, signed
from vip.insurers import assertions, keys
from vip.insurers.assertions import FAULTS, BadAssertion
from vip.insurers.models import InsurerKey, UsedAssertion

pytestmark = pytest.mark.usefixtures("db")


def read(token: str, insurer_id: int, now: Any = NOON) -> str:
    """The fault of a token, blank for one that is believed."""
    try:
        with reading() as session:
            assertions.read(session, insurer_id, token, audience=AUDIENCE, now=now)
    except BadAssertion as bad:
        return bad.fault
    return ""


def with_header(**header: Any) -> str:
    """A token of ours under another header, its signature left as it is."""
    _, body, signature = signed().split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def confused() -> str:
    """Signed with the public key's text as a shared secret, as algorithm confusion wants it."""
    said = with_header(alg="HS256", kid="app").rpartition(".")[0]
    digest = hmac.digest(OURS.as_pem(private=False), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned() -> str:
    """`alg: none`, and no signature."""
    return with_header(alg="none", kid="app").rsplit(".", 1)[0] + "."


_PUBLIC = THEIRS.as_dict(private=False)
SECONDS = int(NOON.timestamp())
ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "nothing at all": (lambda: "", "unreadable"),
    "no JWT": (lambda: "a.b", "unreadable"),
    "not ASCII": (lambda: "é.é.é", "unreadable"),
    "too long": (lambda: signed(pad="x" * 4096), "unreadable"),
    "a header that is no JSON": (lambda: "e30x.e30.e30", "unreadable"),
    "alg none, without a signature": (unsigned, "algorithm"),
    "alg none in capitals": (lambda: with_header(alg="NONE", kid="app"), "algorithm"),
    "signed with the public key as a shared secret": (confused, "algorithm"),
    "another algorithm than the key is for": (lambda: signed(key=RSA, header={"alg": "RS256"}), "algorithm"),
    "no alg": (lambda: with_header(kid="app"), "unreadable"),
    "no kid": (lambda: signed(header={"kid": None}), "header"),
    "an alg that is no text": (lambda: with_header(alg=["ES256"], kid="app"), "header"),
    "a kid that is no text": (lambda: with_header(alg="ES256", kid=["app"]), "header"),
    "a kid that is a path": (lambda: signed(header={"kid": "../../../dev/null"}), "key"),
    "a kid that is SQL": (lambda: signed(header={"kid": "app' OR '1'='1"}), "key"),
    "a kid with a null": (lambda: signed(header={"kid": "app\0"}), "header"),
    "a kid of another insurer's key": (lambda: signed(key=THEIRS, header={"kid": "theirs"}), "key"),
    "its own key in the header": (lambda: with_header(alg="ES256", kid="app", jwk=_PUBLIC), "header"),
    "the address of a key": (lambda: with_header(alg="ES256", kid="app", jku="https://evil.example/k"), "header"),
    "a certificate": (lambda: with_header(alg="ES256", kid="app", x5c=["MII"]), "header"),
    "a critical extension": (lambda: with_header(alg="ES256", kid="app", crit=["exp"]), "header"),
    "another kind of token": (lambda: signed(header={"typ": "at+jwt"}), "header"),
    "signed by another insurer's key": (lambda: signed(key=THEIRS), "signature"),
    "changed after it was signed": (lambda: signed()[:-6] + "AAAAAA", "signature"),
    "no issuer": (lambda: signed(iss=None), "issuer"),
    "another issuer": (lambda: signed(iss="https://evil.example"), "issuer"),
    "no audience": (lambda: signed(aud=None), "audience"),
    "another audience": (lambda: signed(aud="https://bank.example/token"), "audience"),
    "two audiences": (lambda: signed(aud=[AUDIENCE, "https://bank.example"]), "audience"),
    "no end": (lambda: signed(exp=None), "time"),
    "an end that is a text": (lambda: signed(exp=str(SECONDS + 60)), "time"),
    "an end that is no number": (lambda: signed(exp=True), "time"),
    "over": (lambda: signed(exp=SECONDS), "time"),
    "no beginning": (lambda: signed(iat=None), "time"),
    "good for more than five minutes": (lambda: signed(exp=SECONDS + 301), "time"),
    "made in the future": (lambda: signed(iat=SECONDS + 31, exp=SECONDS + 60), "time"),
    "not yet good": (lambda: signed(nbf=SECONDS + 31), "time"),
    "an end beyond all calendars": (lambda: signed(exp=10**18), "time"),
    "no subject": (lambda: signed(sub=None), "claims"),
    "a subject that is no text": (lambda: signed(sub=7), "claims"),
    "no jti": (lambda: signed(jti=None), "claims"),
    "a long jti": (lambda: signed(jti="x" * 201), "claims"),
}


def test_every_attack_is_refused_for_its_own_rule_and_a_good_token_is_believed() -> None:
    make_customer()
    ours = insurers_app()
    theirs = insurers_app("other", THEIRS, policy=False)
    keys.add_keys("other", ISSUER, jwks(("theirs", ED)), actor="test", now=NOON)
    found = {name: read(made(), ours.insurer_id) for name, (made, _) in ATTACKS.items()}
    assert found == {name: fault for name, (_, fault) in ATTACKS.items()}
    assert {fault for _, fault in ATTACKS.values()} == set(FAULTS) - {"replayed"}, "each rule is attacked"
    assert read(signed(), ours.insurer_id) == "" and read(signed(aud=[AUDIENCE]), ours.insurer_id) == ""
    assert read(signed(exp=SECONDS + 300), ours.insurer_id) == ""
    assert read(signed(key=THEIRS), theirs.insurer_id) == "", "each insurer's own key is called app"


def test_a_token_is_taken_once_by_each_insurer_and_forgotten_a_day_after_it_is_over() -> None:
    make_customer()
    ours, theirs = insurers_app(), insurers_app("other", THEIRS, policy=False)
    with transaction() as session:
        key_ids = dict(session.execute(select(InsurerKey.insurer_id, InsurerKey.id)).tuples().all())
        said = assertions.Assertion("p-1", "one", later(120), key_ids[ours.insurer_id])
        assertions.take(session, ours.insurer_id, said)
        assertions.take(session, theirs.insurer_id, replace(said, key_id=key_ids[theirs.insurer_id]))
    with pytest.raises(BadAssertion) as again, transaction() as session:
        assertions.take(session, ours.insurer_id, said)
    assert again.value.fault == "replayed"
    with reading() as session:
        assert session.scalar(text("SELECT string_agg(u::text, ' ') FROM used_assertion u")).count("one") == 0
    assert assertions.forget_assertions(now=said.expires_at + assertions.KEPT) == 0
    assert assertions.forget_assertions(now=said.expires_at + assertions.KEPT + timedelta(seconds=1)) == 2
    with reading() as session:
        assert session.scalars(select(UsedAssertion)).all() == []


def test_keys_are_public_strong_and_few_and_each_signs_by_its_own_algorithms() -> None:
    insurer = make_insurer()
    add = lambda document, issuer=ISSUER: keys.add_keys(insurer.code, issuer, document, actor="t", now=NOON)  # noqa: E731
    private = json.dumps({**OURS.as_dict(private=True), "kid": "p"})
    wrong = {
        "private_key": [private, json.dumps({"keys": [json.loads(private)]})],
        "weak_key": [jwks(("weak", RSAKey.generate_key(1024)))],
        "key_kind": [
            json.dumps({"kty": "oct", "k": "c2VjcmV0", "kid": "o"}),
            jwks(("curve", ECKey.generate_key("P-521"))),
            json.dumps({**OURS.as_dict(private=False), "alg": "ES384"}),
            json.dumps({**OURS.as_dict(private=False), "use": "enc"}),
        ],
        "no_public_key": [
            *("", "{}", "[]", '{"keys": []}', '{"keys": [7]}'),
            "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
            RSA.as_pem(private=True).decode(),
        ],
        "kid": [json.dumps({**OURS.as_dict(private=False), "kid": "x" * 201})],
        "kid_in_use": [jwks(("twice", OURS), ("twice", THEIRS))],
    }
    for reason, documents in wrong.items():
        for document in documents:
            with pytest.raises(Invalid) as refused:
                add(document)
            assert (refused.value.at, refused.value.facts["reason"]) == ("keys", reason), document[:60]
    for issuer in ("", "evergreen", "http://app.example", "https://", "https://a.example/\n", "https://" + "x" * 200):
        with pytest.raises(Invalid, match="invalid") as refused:
            add(jwks(("app", OURS)), issuer)
        assert refused.value.at == "issuer", issuer
    [named] = add(OURS.as_pem(private=False).decode())
    assert (named.kid, list(named.algorithms)) == (OURS.thumbprint(), ["ES256"])
    made = add(jwks(("rsa", RSA), ("ed", ED)))
    assert [list(each.algorithms) for each in made] == [["PS256", "RS256"], ["Ed25519", "EdDSA"]]
    with pytest.raises(Invalid) as refused:
        add(jwks(("rsa", RSA)))
    assert refused.value.facts["reason"] == "kid_in_use"
    with pytest.raises(Invalid) as refused:
        add(jwks(*((f"k{n}", OURS) for n in range(keys.MOST))))
    assert refused.value.facts["reason"] == "too_many_keys"
    with reading() as session:
        stored = " ".join(str(each) for each in session.scalars(select(InsurerKey.public_key)))
    assert "'d'" not in stored and "'kid'" not in stored


def test_an_ended_key_signs_nothing_any_more_and_its_name_is_free_again() -> None:
    make_customer()
    ours = insurers_app()
    [key] = keys.keys_of(make_insurer().code)
    keys.end_key(key.id, actor="t", now=NOON)
    assert (read(signed(), ours.insurer_id), keys.keys_of(make_insurer().code)) == ("key", [])
    with pytest.raises(NotFound):
        keys.end_key(key.id, actor="t", now=NOON)
    keys.add_keys(make_insurer().code, ISSUER, jwks(("app", ED)), actor="t", now=NOON)
    assert read(signed(key=ED, header={"alg": "EdDSA"}), ours.insurer_id) == ""
    assert read(signed(), ours.insurer_id) == "algorithm"
