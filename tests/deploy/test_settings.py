"""Settings in `deploy/` exist, fit together and hold no secrets."""

import re
from pathlib import Path

from deploy_files import DEPLOY, FILES, ROOT, compose, documents, kubernetes, last_stage, unit


def settings_of_the_code() -> set[str]:
    found = set()
    for path in (ROOT / "guidedrec_core").rglob("*.py"):
        found |= set(re.findall(r'"(GUIDEDREC_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    return found


def test_every_setting_in_deploy_exists_and_every_setting_is_documented() -> None:
    known = settings_of_the_code()
    assert {"GUIDEDREC_HOME", "GUIDEDREC_DATABASE_URL"} <= known
    for path in FILES:
        named = set(re.findall(r"GUIDEDREC_[A-Z_]+", path.read_text(encoding="utf-8"))) - {"GUIDEDREC_PORT"}
        assert named <= known, f"{path.name}: {named - known}"
    deployment = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert {name for name in known if f"`{name}`" not in deployment} == set()


def test_what_compose_takes_from_its_environment_is_in_the_example() -> None:
    example = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    used = set()
    for name in ("compose.yaml", "compose.oidc.yaml"):
        used |= set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / name).read_text()))
    assert used == example


def test_what_caddy_takes_from_its_environment_is_given_to_it() -> None:
    given = set(compose()["services"]["proxy"]["environment"])
    with_defaults = {"APP_ADDRESS", "LOGIN_ADDRESS"}
    for path in (DEPLOY / "caddy").iterdir():
        assert set(re.findall(r"\{\$([A-Z_]+)", path.read_text())) <= given | with_defaults, path.name
    mounted = {volume.split(":")[0] for volume in compose()["services"]["proxy"]["volumes"]}
    mounted |= {
        volume.split(":")[0] for volume in documents(DEPLOY / "compose.oidc.yaml")[0]["services"]["proxy"]["volumes"]
    }
    assert all((DEPLOY / name).is_file() for name in mounted if name.startswith("."))
    assert {path.name for path in (DEPLOY / "caddy").iterdir()} == {
        Path(name).name for name in mounted if name.startswith(".")
    }


def test_the_database_of_compose_is_the_one_that_the_app_names() -> None:
    services = compose()["services"]
    database = services["db"]["environment"]
    address = services["app"]["environment"]["GUIDEDREC_DATABASE_URL"]
    assert address == f"postgresql://{database['POSTGRES_USER']}@db:5432/{database['POSTGRES_DB']}"
    assert services["app"]["environment"]["PGPASSWORD"] == database["POSTGRES_PASSWORD"]
    assert compose()["networks"]["database"] == {"internal": True}
    assert services["db"]["networks"] == ["database"]


def test_no_secret_is_in_the_examples() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for name, value in re.findall(
            r"^#?\s*([A-Z_]*(?:PASSWORD|SECRET|KEY|HASH)[A-Z_]*)[=:][ ]?(.*)$", text, re.MULTILINE
        ):
            assert value.strip("\"' ") == "" or value.startswith("${"), f"{path.name}: {name}"
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"deploy/.env", "deploy/kubernetes/secret.yaml"} <= set(ignored)


def test_what_the_app_writes_has_a_place_where_the_rest_is_read_only() -> None:
    stage = " ".join(last_stage()["ENV"])
    home = re.search(r"GUIDEDREC_HOME=(\S+)", stage)
    cache = re.search(r"NUMBA_CACHE_DIR=(\S+)", stage)
    assert home
    assert cache
    mounts = {volume.split(":")[1] for volume in compose()["services"]["app"]["volumes"]}
    [container] = kubernetes()["Deployment/guidedrec"]["spec"]["template"]["spec"]["containers"]
    for places in (mounts, {mount["mountPath"] for mount in container["volumeMounts"]}):
        assert home[1] in places
        assert any(cache[1].startswith(f"{place}/") for place in places)
    service = unit("guidedrec.service")
    assert "GUIDEDREC_HOME=/var/lib/guidedrec" in service["Environment"]
    assert service["StateDirectory"] == ["guidedrec"]
    assert service["KillMode"] == ["process"]
