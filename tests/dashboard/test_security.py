from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from live_box_spreads.dashboard.app import create_app
from live_box_spreads.dashboard.security import script_hash

if TYPE_CHECKING:
    from live_box_spreads.settings import Settings


@pytest.fixture
def client(settings: Settings) -> TestClient:
    return TestClient(create_app(settings).server, base_url="http://127.0.0.1:8050")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8050", "127.0.0.1", "localhost:8050", "LOCALHOST", "127.0.0.9:1"),
        *("[::1]:8050", "[::1]"),
    ],
)
def test_a_loopback_name_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/alive", headers={"host": host}).json() == {"alive": True}


@pytest.mark.parametrize(
    "host",
    [
        *("elsewhere.example", "127.0.0.1.elsewhere.example", "192.168.1.5:8050", "0.0.0.0"),  # noqa: S104
        *("localhost.elsewhere.example", "[::2]:8050", "[::1", "", "localhost@elsewhere.example"),
    ],
)
def test_another_name_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8050", 200),
        ("http://127.0.0.1:8051", 403),
        ("https://elsewhere.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_a_page_of_another_site_is_refused(client: TestClient, origin: str, status: int) -> None:
    assert client.get("/alive", headers={"origin": origin}).status_code == status


def test_the_policy_allows_the_scripts_of_the_page_and_no_others(client: TestClient) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    within = re.findall(r"<script(?![^>]*src=)[^>]*>(.+?)</script>", page.text, re.DOTALL)
    inline = [text for text in within if not text.lstrip().startswith("{")]  # data is no script
    assert len(inline) == 2
    assert set(directives["script-src"].split()) == {"'self'", *map(script_hash, inline)}
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"])
def test_the_framework_shows_no_pages_of_its_own(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert "swagger" not in answer.text.lower()
    assert "redoc" not in answer.text.lower()
    assert "openapi" not in answer.text.lower()
