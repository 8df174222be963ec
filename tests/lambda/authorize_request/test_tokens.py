"""Which tokens are believed. Everything a forger has tried is here, and refused."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from authorize_request.keys import KeySet
from authorize_request.tokens import (
    CLOCK_SKEW_SECONDS,
    LONGEST_LIFE_SECONDS,
    LONGEST_TOKEN,
    Identity,
    InvalidTokenError,
    Rules,
    verify,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JANE = Identity(tenant="acme", user="auth0|jane", role="editor")


def _encode(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _reason(token: str, keys: KeySet, rules: Rules, clock: Any) -> str:
    with pytest.raises(InvalidTokenError) as refusal:
        verify(token, keys=keys, rules=rules, now=clock())
    assert token == "" or token not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_believes_a_token_of_the_issuer(algorithm: str, issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert verify(issuer.token(algorithm=algorithm), keys=keys, rules=rules, now=clock()) == JANE


def test_role_is_reader_unless_the_token_says_more(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert verify(issuer.token(role=...), keys=keys, rules=rules, now=clock()).role == "reader"


def test_nbf_may_be_left_out(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert verify(issuer.token(nbf=...), keys=keys, rules=rules, now=clock()) == JANE


def test_one_of_several_audiences_is_enough(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert verify(issuer.token(aud=["other", "documents"]), keys=keys, rules=rules, now=clock()) == JANE


def test_access_token_type_is_believed(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert verify(issuer.token(header={"typ": "at+JWT"}), keys=keys, rules=rules, now=clock()) == JANE


def test_urls_and_keys_in_the_header_are_never_read(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    header = {"jku": "https://evil.example.com/keys", "x5u": "https://evil.example.com/cert"}
    assert verify(issuer.token(header=header), keys=keys, rules=rules, now=clock()) == JANE
    assert issuer.fetches == 1


HOSTILE_CLAIMS: dict[str, dict[str, Any]] = {
    "other issuer": {"iss": "https://evil.example.com/"},
    "issuer without slash": {"iss": "https://issuer.example.com"},
    "no issuer": {"iss": ...},
    "issuer list": {"iss": ["https://issuer.example.com/"]},
    "other audience": {"aud": "payments"},
    "no audience": {"aud": ...},
    "null audience": {"aud": None},
    "audience object": {"aud": {"documents": 1}},
    "audience prefix": {"aud": "document"},
    "expired": {"exp": 1_000_000_000, "iat": 999_999_000, "nbf": 999_999_000},
    "no exp": {"exp": ...},
    "exp as text": {"exp": "9999999999"},
    "exp true": {"exp": True},
    "exp infinite": {"exp": float("inf")},
    "exp null": {"exp": None},
    "exp negative": {"exp": -1},
    "exp in a far year": {"exp": 10**18},
    "no iat": {"iat": ...},
    "iat in the future": {"iat": 4_000_000_000, "exp": 4_000_000_100},
    "iat as list": {"iat": [1]},
    "nbf in the future": {"nbf": 4_000_000_000},
    "nbf null": {"nbf": None},
    "nbf as text": {"nbf": "0"},
    "no tenant": {"tenant": ...},
    "empty tenant": {"tenant": ""},
    "tenant wildcard": {"tenant": "*"},
    "tenant path": {"tenant": "acme/../beta"},
    "tenant list": {"tenant": ["acme", "beta"]},
    "tenant null byte": {"tenant": "acme\x00"},
    "tenant in capitals": {"tenant": "ACME"},
    "tenant huge": {"tenant": "a" * 2000},
    "tenant number": {"tenant": 7},
    "no subject": {"sub": ...},
    "empty subject": {"sub": ""},
    "subject with a line end": {"sub": "jane\nadmin"},
    "subject object": {"sub": {"name": "jane"}},
    "subject huge": {"sub": "j" * 256},
    "unknown role": {"role": "owner"},
    "role list": {"role": ["editor"]},
    "role null": {"role": None},
}


@pytest.mark.parametrize("case", HOSTILE_CLAIMS)
def test_refuses_signed_but_hostile_claims(case: str, issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    def sign(claims: dict[str, Any]) -> str:
        # PyJWT itself declines to encode some of these: sign the bytes as a careless issuer would.
        signing_input = f"{_encode({'alg': 'RS256', 'kid': 'rsa-1', 'typ': 'JWT'})}.{_encode(claims)}"
        signer = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        return f"{signing_input}.{_encode(signer.sign(signing_input.encode(), issuer.rsa))}"

    assert verify(sign(issuer.claims()), keys=keys, rules=rules, now=clock()) == JANE
    assert _reason(sign(issuer.claims(**HOSTILE_CLAIMS[case])), keys, rules, clock) != "signature"


def test_time_is_kept_with_a_little_skew(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    now = int(clock().timestamp())
    begun = {"iat": now - 100, "nbf": now - 100}
    good = [issuer.token(exp=now - CLOCK_SKEW_SECONDS + 1, **begun), issuer.token(iat=now + CLOCK_SKEW_SECONDS)]
    for token in good:
        assert verify(token, keys=keys, rules=rules, now=clock()) == JANE
    assert _reason(issuer.token(exp=now - CLOCK_SKEW_SECONDS, **begun), keys, rules, clock) == "expired"
    late = now + CLOCK_SKEW_SECONDS + 1
    assert _reason(issuer.token(iat=late), keys, rules, clock) == "not yet valid"
    assert _reason(issuer.token(nbf=late), keys, rules, clock) == "not yet valid"


def test_refuses_tokens_that_live_too_long_or_end_before_they_begin(
    issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    now = int(clock().timestamp())
    assert _reason(issuer.token(iat=now, exp=now + LONGEST_LIFE_SECONDS + 1), keys, rules, clock) == "lifetime"
    assert _reason(issuer.token(iat=now, exp=now), keys, rules, clock) == "lifetime"


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", "", None, 0])
@pytest.mark.parametrize("signature", ["", "c2lnbmF0dXJl"])
def test_refuses_no_algorithm(  # noqa: PLR0917
    spelling: object, signature: str, issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    token = f"{_encode({'alg': spelling, 'kid': 'rsa-1'})}.{_encode(issuer.claims())}.{signature}"
    assert _reason(token, keys, rules, clock) in {"algorithm", "format"}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_refuses_a_signature_made_with_the_public_key_as_secret(
    algorithm: str, issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    public = issuer.rsa.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signing_input = f"{_encode({'alg': algorithm, 'kid': 'rsa-1'})}.{_encode(issuer.claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    signature = hmac.new(public, signing_input.encode(), digest).digest()
    assert _reason(f"{signing_input}.{_encode(signature)}", keys, rules, clock) == "algorithm"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_refuses_other_algorithms_of_the_right_key(
    algorithm: str, issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    assert _reason(issuer.token(algorithm=algorithm, header={"kid": "rsa-1"}), keys, rules, clock) == "algorithm"


def test_refuses_an_algorithm_that_is_not_the_keys(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert _reason(issuer.token(algorithm="ES256", header={"kid": "rsa-1"}), keys, rules, clock) == "key"
    assert _reason(issuer.token(algorithm="RS256", header={"kid": "ec-1"}), keys, rules, clock) == "key"


@pytest.mark.parametrize("extra", [{}, {"jku": "https://evil.example.com/k"}, {"x5u": "https://evil.example.com/c"}])
def test_refuses_a_strangers_signature_wherever_the_header_points(
    extra: dict[str, str], issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    assert _reason(issuer.token(key=issuer.other_rsa, header=extra), keys, rules, clock) == "signature"


def test_refuses_a_strangers_key_inside_the_header(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    own_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(issuer.other_rsa.public_key()))
    header = {"jwk": own_key, "x5c": ["MIIB"]}
    assert _reason(issuer.token(key=issuer.other_rsa, header=header), keys, rules, clock) == "signature"


@pytest.mark.parametrize("key_id", ["rsa-2", "../rsa-1", "rsa-1\x00", "rsa-1' OR '1'='1", "/dev/null", "RSA-1"])
def test_refuses_unknown_key_id(key_id: str, issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert _reason(issuer.token(header={"kid": key_id}), keys, rules, clock) == "key"


@pytest.mark.parametrize("key_id", [None, "", 5, ["rsa-1"], {"kid": "rsa-1"}, "k" * 257])
def test_refuses_malformed_key_id(key_id: object, issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    token = f"{_encode({'alg': 'RS256', 'kid': key_id})}.{_encode(issuer.claims())}.c2ln"
    assert _reason(token, keys, rules, clock) in {"key id", "format"}
    assert issuer.fetches == 0


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"typ": "logout+jwt"}, {"typ": 5}, {"typ": "dpop+jwt"}])
def test_refuses_tokens_of_another_kind(header: dict[str, Any], issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    token = f"{_encode({'alg': 'RS256', 'kid': 'rsa-1', **header})}.{_encode(issuer.claims())}.c2ln"
    assert _reason(token, keys, rules, clock) in {"type", "format"}


def test_refuses_a_changed_payload(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    header, _, signature = issuer.token().split(".")
    changed = f"{header}.{_encode(issuer.claims(tenant='beta'))}.{signature}"
    assert _reason(changed, keys, rules, clock) == "signature"


def test_refuses_a_blank_elliptic_signature(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    header, payload, _ = issuer.token(algorithm="ES256").split(".")
    assert _reason(f"{header}.{payload}.{_encode(bytes(64))}", keys, rules, clock) == "signature"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "\x00",
        "eyJ.eyJ.",
        "é.é.é",
        "[" * 100,
        "e30.e30.e30",
        "bnVsbA.e30.e30",
    ],
)
def test_refuses_what_is_no_token(token: str, keys: Any, rules: Any, clock: Any) -> None:
    assert _reason(token, keys, rules, clock) in {"format", "size", "algorithm"}


def test_refuses_oversized_token_before_reading_it(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    assert _reason(issuer.token(filler="x" * LONGEST_TOKEN), keys, rules, clock) == "size"
    assert issuer.fetches == 0


def test_refuses_signed_claims_that_are_no_object(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    for payload in (b"[]", b"7", b"{", b"\xff", b"null"):
        signing_input = f"{_encode({'alg': 'RS256', 'kid': 'rsa-1'})}.{_encode(payload)}"
        signer = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        token = f"{signing_input}.{_encode(signer.sign(signing_input.encode(), issuer.rsa))}"
        assert _reason(token, keys, rules, clock) == "signature"


def test_strangers_keys_do_not_enter_by_weakness(issuer: Any, keys: Any, rules: Any, clock: Any) -> None:
    weak, wrong_curve = (
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        ec.generate_private_key(ec.SECP384R1()),
    )
    weak_jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(weak.public_key()))
    curve_jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(wrong_curve.public_key()))
    issuer.entries += [{**weak_jwk, "kid": "weak"}, {**curve_jwk, "kid": "curve"}]
    assert _reason(issuer.token(key=weak, header={"kid": "weak"}), keys, rules, clock) == "key"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.integers(0, 2), place=st.integers(0, 5000), letter=st.sampled_from("ABCxyz019-_="))
def test_no_single_changed_letter_makes_another_identity(  # noqa: PLR0917
    part: int, place: int, letter: str, issuer: Any, keys: Any, rules: Any, clock: Any
) -> None:
    parts = issuer.token().split(".")
    place %= len(parts[part])
    parts[part] = parts[part][:place] + letter + parts[part][place + 1 :]
    try:
        found = verify(".".join(parts), keys=keys, rules=rules, now=clock())
    except InvalidTokenError:
        return
    # Unused bits of a part's last letter may differ without changing what is signed.
    assert found == JANE


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_arbitrary_text_is_refused_and_nothing_else_happens(text: str, keys: Any, rules: Any, clock: Any) -> None:
    with pytest.raises(InvalidTokenError):
        verify(text, keys=keys, rules=rules, now=clock())


# ---------------------------------------------------------------------------- tokens of the stage's own user pool


def test_believes_an_access_token_of_the_user_pool(issuer: Any, keys: Any, pool_rules: Any, clock: Any) -> None:
    found = verify(issuer.pool_token(), keys=keys, rules=pool_rules, now=clock())
    assert found == Identity(tenant="acme", user="jane-1", role="editor", account="jane")


HOSTILE_POOL_CLAIMS: dict[str, dict[str, Any]] = {
    "an id token, whose audience is the app": {"token_use": "id", "aud": "documents", "client_id": ...},
    "an id token with a client": {"token_use": "id", "aud": "documents"},
    "a refresh token": {"token_use": "refresh"},
    "no use": {"token_use": ...},
    "use as list": {"token_use": ["access"]},
    "another app of the pool": {"client_id": "payments"},
    "another app, ours in aud": {"client_id": "payments", "aud": "documents"},
    "no app": {"client_id": ...},
    "apps as list": {"client_id": ["documents"]},
    "another pool": {"iss": "https://issuer.example.com/other"},
    "no user name": {"username": ...},
    "user name as number": {"username": 7},
    "empty user name": {"username": ""},
    "endless user name": {"username": "x" * 129},
    "no tenant": {"tenant": ...},
    "expired": {"exp": 1_000_000_000, "iat": 999_999_000},
    "role of nobody": {"role": "owner"},
}


@pytest.mark.parametrize("claims", HOSTILE_POOL_CLAIMS.values(), ids=HOSTILE_POOL_CLAIMS.keys())
def test_refuses_what_is_no_access_token_for_this_app(
    claims: dict[str, Any], issuer: Any, keys: Any, pool_rules: Any, clock: Any
) -> None:
    _reason(issuer.pool_token(**claims), keys, pool_rules, clock)


def test_refuses_unsigned_and_wrongly_signed_tokens_of_the_pool(
    issuer: Any, keys: Any, pool_rules: Any, clock: Any
) -> None:
    claims = issuer.claims(client_id="documents", token_use="access", username="jane", aud=...)
    unsigned = ".".join((_encode({"alg": "none", "kid": "rsa-1"}), _encode(claims), ""))
    assert _reason(unsigned, keys, pool_rules, clock) == "algorithm"
    by_stranger = issuer.pool_token(key=issuer.other_rsa)
    assert _reason(by_stranger, keys, pool_rules, clock) == "signature"
    symmetric = _encode({"alg": "HS256", "kid": "rsa-1"}) + "." + _encode(claims)
    tag = hmac.new(b"documents", symmetric.encode(), hashlib.sha256).digest()
    assert _reason(f"{symmetric}.{_encode(tag)}", keys, pool_rules, clock) == "algorithm"


def test_a_token_for_an_outside_audience_is_not_one_for_the_pool(
    issuer: Any, keys: Any, rules: Any, pool_rules: Any, clock: Any
) -> None:
    _reason(issuer.token(), keys, pool_rules, clock)
    _reason(issuer.pool_token(), keys, rules, clock)
