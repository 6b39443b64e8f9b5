"""The app in a browser that obeys the Content-Security-Policy of the proxies in `deploy/`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, open_page, running_app, settle

pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: install Debian's `chromium`")

CADDYFILE = Path(__file__).parents[2] / "deploy" / "caddy" / "Caddyfile"
SALES = b"user_id,item_id,timestamp\n" + b"".join(
    b"u%d,i%d,2024-01-%02d\n" % (n % 9, n % 7, n % 27 + 1) for n in range(99)
)


# A document that the test answers is of no known network, from which the browser would let nothing reach this machine.
LOCAL = ("--disable-features=LocalNetworkAccessChecks",)


@pytest.fixture(scope="module")
def address(tiny_build: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tiny_build.data.path.parents[1], tmp_path_factory.mktemp("policy") / "app.log") as url:
        yield url


def obey_policy(page: Any) -> list[str]:
    """Let the browser get the policy with each document; return the list to which it adds what it refuses."""
    [policy] = re.findall(r'Content-Security-Policy "([^"]+)"', CADDYFILE.read_text(encoding="utf-8"))
    policy = policy.replace("{$IMAGE_SOURCES}", "")

    def answer(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

    page.route(
        lambda _: True, lambda route: answer(route) if route.request.is_navigation_request() else route.fallback()
    )
    refused: list[str] = []
    page.expose_function("refuse", lambda said: refused.append(said))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => refuse(`${e.effectiveDirective}: ${e.blockedURI}`))"
    )
    return refused


def test_pages_charts_tables_and_uploads_work_under_the_policy(address: str) -> None:
    with open_page(height=1400, arguments=LOCAL) as (page, complaints):
        refused = obey_policy(page)
        for path, drawn in (
            ("", ".js-plotly-plot .main-svg"),
            ("Case_study?dataset=tiny&user=user-03", ".js-plotly-plot .main-svg"),
            ("Embedding_map?dataset=tiny", ".js-plotly-plot .draglayer"),
            ("Evaluation?dataset=tiny", "canvas"),
        ):
            page.goto(f"{address}/{path}")
            page.locator(drawn).first.wait_for(state="attached")
            settle(page)
            assert page.locator('[data-testid="stException"]').count() == 0, path
        page.goto(f"{address}/Bring_your_data")
        settle(page)
        files = {"name": "sales.csv", "mimeType": "text/csv", "buffer": SALES}
        page.locator("input[type=file]").first.set_input_files(files)
        page.get_by_text("In use: sales.csv").wait_for()
        settle(page)
    assert refused == []
    assert not [said for said in complaints if "Content Security Policy" in said]


def test_the_policy_refuses_what_a_text_of_the_data_would_bring_if_it_got_into_the_page(address: str) -> None:
    with open_page(arguments=LOCAL) as (page, _):
        refused = obey_policy(page)
        page.goto(address)
        settle(page)
        page.evaluate(
            """() => {
              window.run = 0;
              document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.run = 1">');
              document.body.insertAdjacentHTML('beforeend', '<iframe src="http://evil.example/"></iframe>');
              document.body.appendChild(Object.assign(document.createElement('script'), {text: 'window.run = 2'}));
              document.body.insertAdjacentHTML('beforeend', '<img src="http://evil.example/track.png">');
            }"""
        )
        page.wait_for_timeout(500)
        assert page.evaluate("window.run") == 0
    assert {one.split(":")[0] for one in refused} == {"script-src-attr", "script-src-elem", "frame-src", "img-src"}
