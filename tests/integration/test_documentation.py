"""The interface describes itself: a valid OpenAPI 3.1 document, and a page that needs no other host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

import repository
from repository.api.catalogue import BY_STATUS, PROBLEM_TYPES, as_markdown

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
ROOT = Path(repository.__file__).parent.parent


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    """The document validates against the OpenAPI 3.1 schema."""
    document = client.get("/v1/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_documented(app: Flask, client: FlaskClient) -> None:
    """What is served is described: each route of the interface is a path of the document, with each method."""
    document = client.get("/v1/openapi.json").get_json()
    undocumented = {"/v1/openapi.json", "/v1/docs", "/v1/docs/<name>", "/v1/problems/<slug>"}
    served = {
        (rule.rule.replace("<", "{").replace(">", "}").replace("string:", ""), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule not in undocumented
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    assert served == described


def test_every_operation_documents_its_errors(client: FlaskClient) -> None:
    """Each operation lists the problems it answers with: 401 where a token is needed, 422 where a body is read."""
    document = client.get("/v1/openapi.json").get_json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            statuses = set(operation["responses"])
            assert operation["summary"], (path, method)
            assert "security" not in operation or "401" in statuses, (path, method)
            assert "requestBody" not in operation or {"400", "413", "415", "422"} <= statuses, (path, method)
            assert "{" not in path or "404" in statuses, (path, method)


def test_what_is_open_to_anyone_is_a_short_list(client: FlaskClient) -> None:
    """Without a token there are log-in, keys, scheme, rules and health; every other operation asks for one."""
    paths = client.get("/v1/openapi.json").get_json()["paths"]
    anyone = {
        path
        for path, item in paths.items()
        for each in item.values()
        if isinstance(each, dict) and not each.get("security")
    }
    rules = {"/v1/rulebook", "/v1/rulebook.toml", "/v1/rulebook/{version}", "/rulebook", "/rulebook/{version}"}
    asked = {"/v1/auth/token", "/.well-known/jwks.json", "/v1/scheme", "/v1/retention", "/livez", "/readyz"}
    assert anyone == asked | rules


def test_errors_are_described_as_problems(client: FlaskClient) -> None:
    """Every error response of the document is application/problem+json."""
    responses = client.get("/v1/openapi.json").get_json()["components"]["responses"]
    assert responses
    assert all(list(response["content"]) == ["application/problem+json"] for response in responses.values())


def test_the_page_runs_no_inline_script(client: FlaskClient) -> None:
    """The page's policy allows scripts of this host only, and the page has none inline and no address elsewhere."""
    page = client.get("/v1/docs")
    policy = page.headers["Content-Security-Policy"]
    html = page.get_data(as_text=True)
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "http:" not in html
    assert "https:" not in html
    assert html.count("<script") == html.count('<script src="/v1/docs/')


def test_the_pages_files_are_served_from_here(client: FlaskClient) -> None:
    """Each file of the page comes from this server, and nothing is left to sniffing."""
    html = client.get("/v1/docs").get_data(as_text=True)
    for address in re.findall(r'(?:src|href)="(/v1/docs/[^"]+)"', html):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.get_data()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()


@pytest.mark.parametrize("name", ["docs.html", "..", "%2e%2e%2fdocumentation.py", "swagger-ui.js"])
def test_no_other_file_is_served(client: FlaskClient, name: str) -> None:
    """Only the listed files are served."""
    assert client.get(f"/v1/docs/{name}").status_code == 404


def test_the_type_of_each_problem_leads_to_its_text(client: FlaskClient) -> None:
    """The URI in `type` serves what the problem means."""
    for kind in PROBLEM_TYPES.values():
        answer = client.get(kind.uri)
        assert answer.status_code == 200
        assert kind.text in answer.get_data(as_text=True)


def test_the_list_of_problems_in_the_docs_is_current(store: str) -> None:
    """docs/api-errors.md is what `python -m repository.api.catalogue` writes."""
    assert (ROOT / "docs" / "api-errors.md").read_text("utf-8") == as_markdown()


def test_each_status_stands_for_a_problem_of_that_status(store: str) -> None:
    """The problem that stands for a bare status has that status."""
    assert all(PROBLEM_TYPES[slug].status == status for status, slug in BY_STATUS.items())
