"""The schema, and the page that shows it."""

import yaml


def test_the_schema_lists_every_call_of_the_api(client, db):
    answer = client.get("/api/v1/schema/")
    paths = yaml.safe_load(answer.content)["paths"]
    for path in ("interactions", "feedback", "gold-versions", "exports", "problems"):
        assert f"/api/v1/{path}" in paths


def test_the_docs_page_brings_its_own_files_and_runs_no_inline_script(client, db):
    answer = client.get("/api/v1/docs/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert b"//cdn" not in answer.content
    assert b"<script>" not in answer.content


def test_no_other_page_allows_inline_styles(client, db):
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
