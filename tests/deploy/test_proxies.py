"""The proxies let pass what the app needs, and nobody without a login."""

import base64
import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy_files import DEPLOY, ROOT, kubernetes


def policies() -> Iterator[str]:
    yield re.findall(r'Content-Security-Policy "([^"]+)"', (DEPLOY / "caddy" / "Caddyfile").read_text())[0]
    yield kubernetes()["Middleware/headers"]["spec"]["headers"]["contentSecurityPolicy"]


@pytest.mark.parametrize("policy", [*policies()], ids=["caddy", "kubernetes"])
def test_the_policy_admits_the_one_script_of_streamlits_page_and_no_other(policy: str) -> None:
    import streamlit

    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes().decode()
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in inline}
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert set(rules["script-src"]) == {"'self'", "'wasm-unsafe-eval'", *hashes}, (
        "Streamlit's page has changed; renew the hash"
    )
    assert rules["default-src"] == rules["connect-src"] == ["'self'"]
    assert rules["object-src"] == ["'none'"]


def test_the_proxy_lets_an_upload_pass_that_the_app_takes() -> None:
    limit = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["server"]["maxUploadSize"]
    [passed] = re.findall(r"max_size (\d+)MB", (DEPLOY / "caddy" / "Caddyfile").read_text())
    assert limit * 2**20 < int(passed) * 10**6 < 1.1 * limit * 2**20


def test_nobody_gets_past_the_login() -> None:
    """Caddy answers only what follows the login; Traefik serves nothing while a middleware is missing."""
    caddyfile = (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert caddyfile.index("import login.caddy") < caddyfile.index("reverse_proxy")
    assert re.search(r"^basic_auth \{$", (DEPLOY / "caddy" / "password.caddy").read_text(), re.MULTILINE)
    oidc = (DEPLOY / "caddy" / "oidc.caddy").read_text()
    assert "@app not path /oauth2/*\nforward_auth @app " in oidc
    found = kubernetes()
    used = found["Ingress/guidedrec"]["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"]
    names = {one.removeprefix("guidedrec-").removesuffix("@kubernetescrd") for one in used.split(",")}
    assert names == {key.split("/")[1] for key in found if key.startswith("Middleware/")}
    secret = found["Middleware/login"]["spec"]["basicAuth"]["secret"]
    assert f"Secret/{secret}" in found
