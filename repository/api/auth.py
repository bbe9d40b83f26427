"""Logging in, refreshing, revoking, and the keys by which others may check our tokens."""

from __future__ import annotations

import math
from ipaddress import ip_address, ip_network
from typing import Any, cast

from flask import Response, current_app, request
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from repository.api import tokens
from repository.api.base import BEARER, Blueprint, json_response, services
from repository.api.problems import ProblemError
from repository.services import authentication
from repository.services.signing import SigningKeys

SIGNING_KEYS = "frankpledge.signing-keys"
_FIELDS = {"client_credentials": ("client_id", "client_secret"), "password": ("username", "password")}
_NO_STORE = {"Cache-Control": "no-store"}
_text = validate.Length(1, 256, error="Expected text of 1 to 256 characters.")
_printable = validate.Predicate("isprintable", error="Expected text without control characters.")

blueprint = Blueprint("auth", __name__, description="Log-in with short-lived tokens")


class TokenRequestSchema(Schema):
    """Who logs in: a client with its id and secret, or a user with name and password."""

    grant_type = fields.String(required=True, validate=validate.OneOf(list(_FIELDS)))
    client_id = fields.String(validate=[_text, _printable])
    client_secret = fields.String(validate=_text)
    username = fields.String(validate=[_text, _printable])
    password = fields.String(validate=_text)

    @validates_schema
    def _has_its_fields(self, data: dict[str, str], **_options: Any) -> None:
        missing = [name for name in _FIELDS.get(data.get("grant_type", ""), ()) if name not in data]
        if missing:
            raise ValidationError({name: ["Missing data for required field."] for name in missing})


class TokensSchema(Schema):
    """A pair of tokens. The refresh token is good for one use."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds the access token holds"})


class KeySetSchema(Schema):
    """A JWK Set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True)


@blueprint.route("/v1/auth/token", methods=["POST"])
@blueprint.arguments(TokenRequestSchema)
@blueprint.response(200, TokensSchema)
@blueprint.problems(400, 401, 413, 415, 429, 503)
def log_in(body: dict[str, str]) -> Response:
    """Log in with client credentials or with name and password."""
    kind = "client" if body["grant_type"] == "client_credentials" else "user"
    login_field, secret_field = _FIELDS[body["grant_type"]]
    try:
        grant = authentication.log_in(services(), kind, body[login_field], body[secret_field], peer=_peer())
    except authentication.LockedError as error:
        wait = str(math.ceil(error.wait.total_seconds()))
        raise ProblemError("locked", headers={"Retry-After": wait}) from None
    except authentication.BusyError:
        raise ProblemError("unavailable", "Too many log-ins are under way.", headers={"Retry-After": "2"}) from None
    except authentication.LoginRefusedError:
        raise ProblemError("wrong-credentials") from None
    return json_response(tokens.pair(services(), _keys(), grant), headers=_NO_STORE)


@blueprint.route("/v1/auth/refresh", methods=["POST"])
@blueprint.doc(security=[{BEARER: []}])
@blueprint.response(200, TokensSchema)
@blueprint.problems(401)
def refresh() -> Response:
    """Exchange a refresh token, sent as bearer token, for a new pair. Using one twice ends the whole log-in."""
    verify_jwt_in_request(refresh=True)
    claims = get_jwt()
    try:
        grant = authentication.refresh(services(), claims["fam"], claims["jti"])
    except authentication.TokenReusedError:
        raise ProblemError("reused-token") from None
    except authentication.TokenRevokedError:
        raise ProblemError("revoked-token") from None
    return json_response(tokens.pair(services(), _keys(), grant), headers=_NO_STORE)


@blueprint.route("/v1/auth/revoke", methods=["POST"])
@blueprint.doc(security=[{BEARER: []}])
@blueprint.response(204)
@blueprint.problems(401)
def revoke() -> Response:
    """Log out: a refresh token ends the log-in and all its tokens, an access token ends itself only."""
    verify_jwt_in_request(verify_type=False)
    claims = get_jwt()
    authentication.revoke(
        services(), claims["fam"], claims["jti"], tokens.expiry(claims), whole_family=claims["type"] == "refresh"
    )
    return Response(status=204)


@blueprint.route("/.well-known/jwks.json")
@blueprint.response(200, KeySetSchema)
def key_set() -> Response:
    """The public keys that verify our tokens, as a JWK Set."""
    return json_response(_keys().jwks(), headers={"Cache-Control": "public, max-age=300"})


def _peer() -> str:
    """Where the request came from; of IPv6 the network, as one host has all addresses of a /64."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    return str(address if address.version == 4 else ip_network((address.packed, 64), strict=False))


def _keys() -> SigningKeys:
    return cast(SigningKeys, current_app.extensions[SIGNING_KEYS])
