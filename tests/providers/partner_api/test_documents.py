"""The partner documents at their public address: each of them, and nothing else of the installation."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from marketplace.core.config import ROOT
from providers.partner_api.documents import DOCUMENTS


def test_each_document_of_a_provider_is_there_for_anybody(app: Flask) -> None:
    client = app.test_client()
    names = [each.name for each in (ROOT / "docs" / "partner").glob("*.md")] + list(DOCUMENTS.besides)
    index = client.get("/partner/docs").text
    for name in names:
        answer = client.get(f"/partner/docs/{name}")
        assert answer.status_code == 200 and answer.text, name
        assert f"(/partner/docs/{name})" in index
    assert client.get("/partner/docs/slots.md").content_type == "text/markdown; charset=utf-8"
    assert client.get("/partner/docs/partner-openapi.json").get_json()["info"]["title"] == "Anxiang Partner API"


def test_a_browser_shows_a_document_rather_than_storing_it(app: Flask) -> None:
    answer = app.test_client().get("/partner/docs/slots.md", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.content_type == "text/plain; charset=utf-8" and "Accept" in answer.vary


@pytest.mark.parametrize(
    "name",
    [
        "keys.md",
        "deployment.md",
        "../README.md",
        "..%2fREADME.md",
        "%2e%2e/keys.md",
        "partner/slots.md",
        "slots",
        "x.md",
    ],
)
def test_nothing_else_is_served(app: Flask, name: str) -> None:
    answer = app.test_client().get(f"/partner/docs/{name}")
    assert answer.status_code == 404 and answer.content_type == "application/problem+json"


def test_the_list_has_each_document_beside_its_chinese(app: Flask) -> None:
    index = app.test_client().get("/partner/docs").text
    assert "- [Deliver reports](/partner/docs/reports.md) · [交付报告](/partner/docs/reports.zh.md)\n" in index
    assert "- [openapi.json](/partner/docs/openapi.json)\n" in index


def test_links_between_the_documents_lead_to_documents_that_are_served(app: Flask) -> None:
    client, followed = app.test_client(), 0
    for name in (each for each in DOCUMENTS.files if each.endswith(".md")):
        text = client.get(f"/partner/docs/{name}").text
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not target.startswith(("decisions/", "deployment.md", "sandbox.md")):  # of those who run it
                assert client.get(f"/partner/docs/{target}").status_code == 200, (name, target)
                followed += 1
    assert followed > len(DOCUMENTS.files)


@pytest.mark.parametrize(
    ("language", "guide"), [("zh", "/partner/docs/first-booking.zh.md"), ("en", "/partner/docs/first-booking.md")]
)
def test_a_newcomer_finds_the_way_from_the_customers_door_to_the_documents(
    app: Flask, db: object, language: str, guide: str
) -> None:
    client = app.test_client()
    door = client.get(f"/sign-in?lang={language}").text
    assert 'href="/desk/apply"' in door and 'href="/desk/sign-in"' in door
    assert f'href="{guide}"' in client.get("/desk/apply").text
    assert 'href="/partner/docs"' in client.get("/desk/sign-in").text
