"""Tokens on the wire: EdDSA JWTs made and checked by flask-jwt-extended, with the scheme's own words for what is wrong.

The times in a token are compared with the service's clock here (`_check_times`) instead of with the machine's inside
the library, so that one clock rules everything and a token from the future gets a problem of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, get_jwt, verify_jwt_in_request

from repository.api.problems import ProblemError
from repository.services import Services, authentication
from repository.services.signing import SigningKeys

_LIBRARY_LEEWAY = timedelta(days=365 * 200)
"""So wide that the library's own comparison with the machine's clock never decides."""

ISSUER = "frankpledge"
_VERIFIED = "frankpledge.verified-tokens"
_MOST_VERIFIED = 4096


def install(app: Flask, services: Services, keys: SigningKeys) -> None:
    """Configure flask-jwt-extended for one application."""
    app.config.update(
        JWT_ALGORITHM="EdDSA",
        JWT_DECODE_ALGORITHMS=["EdDSA"],
        JWT_TOKEN_LOCATION=["headers"],
        JWT_PRIVATE_KEY=keys.signing,
        JWT_COOKIE_CSRF_PROTECT=False,
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_DECODE_LEEWAY=_LIBRARY_LEEWAY,
        JWT_ACCESS_TOKEN_EXPIRES=services.settings.access_lifetime,
        JWT_REFRESH_TOKEN_EXPIRES=services.settings.refresh_lifetime,
    )
    app.extensions[_VERIFIED] = {}
    manager = JWTManager(app)
    _load_keys(manager, keys)
    _load_checks(manager, services)
    _load_problems(manager)


def _load_keys(manager: JWTManager, keys: SigningKeys) -> None:
    @manager.decode_key_loader
    def key_for(header: dict[str, Any], _claims: dict[str, Any]) -> Any:
        key = keys.verifying.get(str(header.get("kid")))
        if key is None or header.get("alg") != "EdDSA":
            raise ProblemError("invalid-token")
        return key


def _load_checks(manager: JWTManager, services: Services) -> None:
    @manager.token_in_blocklist_loader  # the first of the library's hooks after the signature, and always called
    def revoked(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
        if not all(isinstance(claims.get(name), str) for name in ("sub", "fam", "jti", "type")):
            raise ProblemError("invalid-token")
        if claims["type"] == "refresh":
            _check_times(services, claims)
            return False  # the rotation decides, as a used one has to end its family
        return not _holds(services, claims)


def verify_access(services: Services) -> None:
    """Check the access token of this request, and note whose it is.

    A signature that was found good stays so, as the keys are those of this process: of a token that was sent before
    only what changes is looked at again, its times and whether it was revoked.
    """
    verified: dict[bytes, dict[str, Any]] = current_app.extensions[_VERIFIED]
    sent = hashlib.sha256(request.headers.get("Authorization", "").encode()).digest()
    claims = verified.get(sent)
    if claims is not None and _holds(services, claims):
        return
    verify_jwt_in_request()
    if len(verified) >= _MOST_VERIFIED:
        verified.clear()
    verified[sent] = get_jwt()


def _holds(services: Services, claims: dict[str, Any]) -> bool:
    """Whether an access token is in force; then its holder is who makes this request."""
    _check_times(services, claims)
    state = authentication.holder(services, claims["fam"], claims["jti"])
    if state is None or state.actor.id != claims["sub"]:
        return False
    g.actor = state.actor
    return True


def _load_problems(manager: JWTManager) -> None:
    def answer(slug: str) -> Callable[..., Response]:
        return lambda *_details: ProblemError(slug).response()

    manager.unauthorized_loader(answer("no-token"))
    manager.invalid_token_loader(answer("invalid-token"))
    manager.revoked_token_loader(answer("revoked-token"))


def pair(services: Services, keys: SigningKeys, grant: authentication.Grant) -> dict[str, object]:
    """An access token and a refresh token for a grant, as the answer of the log-in."""
    settings = services.settings
    actor = grant.actor.actor
    claims = {"fam": grant.family_id, "mem": actor.member_id, "roles": sorted(actor.roles)}
    header = {"kid": keys.signing_id}
    access = _times(grant.issued_at, settings.access_lifetime) | {"jti": grant.access_id} | claims
    refresh = _times(grant.issued_at, settings.refresh_lifetime) | {"jti": grant.refresh_id, "fam": grant.family_id}
    return {
        "access_token": create_access_token(actor.id, additional_claims=access, additional_headers=header),
        "refresh_token": create_refresh_token(actor.id, additional_claims=refresh, additional_headers=header),
        "token_type": "Bearer",
        "expires_in": int(settings.access_lifetime.total_seconds()),
    }


def expiry(claims: dict[str, Any]) -> datetime:
    """When a verified token expires."""
    return datetime.fromtimestamp(claims["exp"], UTC)


def _times(now: datetime, lifetime: timedelta) -> dict[str, int]:
    issued = int(now.timestamp())
    return {"iat": issued, "nbf": issued, "exp": issued + int(lifetime.total_seconds())}


def _check_times(services: Services, claims: dict[str, Any]) -> None:
    now = services.clock()
    seconds, leeway = now.timestamp(), services.settings.clock_leeway.total_seconds()
    issued, valid_from, expires = (_moment(claims, name) for name in ("iat", "nbf", "exp"))
    if max(issued, valid_from) > seconds + leeway:
        raise ProblemError(
            "token-from-the-future", server_time=now.isoformat(timespec="seconds"), leeway_seconds=int(leeway)
        )
    if expires <= seconds - leeway:
        raise ProblemError("expired-token")


def _moment(claims: dict[str, Any], name: str) -> int:
    moment = claims.get(name)
    if not isinstance(moment, int):
        raise ProblemError("invalid-token")
    return moment
