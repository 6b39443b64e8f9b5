"""The examples in deploy/ agree with the code, with each other and with their formats, where no daemon can try them."""

import base64
import hashlib
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import guidedrec_core
from guidedrec_core.app.serve import SCRIPT
from guidedrec_core.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HEALTH = "/_stcore/health"
PORT = 8501
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
DOCUMENTS = sorted(path for path in FILES if path.suffix == ".yaml")
KUBERNETES = {
    "Namespace": "v1",
    "Secret": "v1",
    "PersistentVolumeClaim": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "Middleware": "traefik.io/v1alpha1",
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
}


def program(name: str) -> str:
    """Return a program of this environment."""
    found = Path(sysconfig.get_path("scripts")) / name
    if not found.exists():
        pytest.fail(f"{name} is missing; pip install -e '.[test]' -c constraints.txt")
    return str(found)


def checked(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def compose() -> dict[str, Any]:
    return documents(DEPLOY / "compose.yaml")[0]


def kubernetes() -> dict[str, Any]:
    """Return the documents of the manifests by kind and name."""
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    found = [document for path in files for document in documents(path)]
    return {f"{one['kind']}/{one.get('metadata', {}).get('name', '')}": one for one in found}


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def last_stage() -> dict[str, list[str]]:
    """Return the instructions of the stage that is shipped."""
    found: dict[str, list[str]] = {}
    for name, rest in dockerfile():
        if name == "FROM":
            found = {}
        found.setdefault(name, []).append(" ".join(rest.split()))
    return found


def unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def policies() -> Iterator[str]:
    yield re.findall(r'Content-Security-Policy "([^"]+)"', (DEPLOY / "caddy" / "Caddyfile").read_text())[0]
    yield kubernetes()["Middleware/headers"]["spec"]["headers"]["contentSecurityPolicy"]


# --- formats


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint comes for Linux and macOS")
def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    checked(program("hadolint"), "--failure-threshold", "info", DEPLOY / "Dockerfile")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.compose-spec", DEPLOY / "compose.yaml"),
        ("vendor.compose-spec", DEPLOY / "compose.oidc.yaml"),
        ("vendor.github-workflows", ROOT / ".github/workflows/ci.yml"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_yaml_files_follow_the_schema_of_their_makers(schema: str, path: Path) -> None:
    checked(program("check-jsonschema"), "--builtin-schema", schema, path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_yaml_file_can_be_read_and_names_no_key_twice(path: Path) -> None:
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{path.name}, line {node.start_mark.line + 1}: {keys}"
            return super().construct_mapping(node, deep)

    assert list(yaml.load_all(path.read_text(encoding="utf-8"), Strict))


# --- one version, one user, one port, one health check


def test_versions_are_those_of_the_package() -> None:
    version = guidedrec_core.__version__
    assert compose()["services"]["app"]["image"] == f"guidedrec:{version}"
    [image] = kubernetes()["Kustomization/"]["images"]
    assert (image["name"], image["newTag"]) == ("guidedrec", version)


def test_the_image_has_a_python_that_the_package_takes_and_tests_run_on() -> None:
    [base] = [rest.split("=", 1)[1] for name, rest in dockerfile() if name == "ARG" and rest.startswith("BASE=")]
    python = re.fullmatch(r"python:(3\.\d+)-slim-bookworm", base)
    assert python, base
    assert {rest.split()[0] for name, rest in dockerfile() if name == "FROM"} == {"${BASE}"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least = re.fullmatch(r">=(3\.\d+)", project["requires-python"])
    assert least
    matrix = workflow()["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert python[1] in matrix
    assert min(matrix, key=minor) == least[1]
    assert matrix == [f"3.{number}" for number in range(minor(matrix[0]), minor(matrix[-1]) + 1)]


def minor(version: str) -> int:
    return int(version.split(".")[1])


def test_the_image_is_built_from_pins_and_from_files_that_exist() -> None:
    instructions = dockerfile()
    installs = [rest for name, rest in instructions if name == "RUN" and "pip install" in rest]
    assert len(installs) == 3
    assert all("pip install --constraint constraints.txt" in " ".join(rest.split()) for rest in installs)
    copied = {
        source for name, rest in instructions if name == "COPY" and "--from" not in rest for source in rest.split()[:-1]
    }
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / source).exists() for source in copied)
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "README.md", "LICENSE", "pyproject.toml", SCRIPT}
    assert needed <= copied


def test_nothing_runs_as_root() -> None:
    stage = last_stage()
    [user] = stage["USER"]
    uid = int(user.split(":")[0])
    assert uid >= 10_000
    assert f"--uid {uid} " in " ".join(stage["RUN"])
    pod = kubernetes()["Deployment/guidedrec"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert {pod["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {uid}
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for name, service in compose()["services"].items():
        assert "privileged" not in service
        assert service["security_opt"] == ["no-new-privileges:true"], name
    app = compose()["services"]["app"]
    assert (app["read_only"], app["cap_drop"]) == (True, ["ALL"])
    for name in ("guidedrec.service", "guidedrec-backup.service"):
        settings = unit(name)
        assert settings["User"] == ["guidedrec"]
        assert settings["NoNewPrivileges"] == ["true"]
        assert settings["CapabilityBoundingSet"] == [""]
        assert settings["ProtectSystem"] == ["strict"]


def test_the_app_is_healthy_at_one_address() -> None:
    [check] = last_stage()["HEALTHCHECK"]
    assert f"http://127.0.0.1:{PORT}{HEALTH}" in check
    [container] = kubernetes()["Deployment/guidedrec"]["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": HEALTH, "port": "http"}
    assert compose()["services"]["proxy"]["depends_on"]["app"] == {"condition": "service_healthy"}


def test_whoever_asks_for_the_app_asks_at_its_port() -> None:
    assert last_stage()["EXPOSE"] == [str(PORT)]
    found = kubernetes()
    [container] = found["Deployment/guidedrec"]["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": PORT}]
    [port] = found["Service/guidedrec"]["spec"]["ports"]
    assert port["targetPort"] == "http"
    [rule] = found["Ingress/guidedrec"]["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "guidedrec", "port": {"name": port["name"]}}
    assert f"{{$APP_ADDRESS:app:{PORT}}}" in (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert "ports" not in compose()["services"]["app"], "only the proxy may be reached from outside"


def commands() -> list[list[str]]:
    """Return what the image, the pod and the units run, without the program's path."""
    stage = last_stage()
    assert stage["ENTRYPOINT"] == ['["guidedrec"]']
    [container] = kubernetes()["Deployment/guidedrec"]["spec"]["template"]["spec"]["containers"]
    shell = shlex.split(shlex.split(unit("guidedrec-backup.service")["ExecStart"][0])[2])
    return [
        yaml.safe_load(stage["CMD"][0]),
        container["args"],
        shlex.split(unit("guidedrec.service")["ExecStart"][0])[1:],
        shell[2:],
    ]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_exist_with_their_options(command: list[str]) -> None:
    name, *options = command
    context = main.commands[name].make_context(name, list(options), obj=None)
    assert context.params
    if name == "app":
        assert context.params["port"] == PORT
        assert context.params["no_browser"] is True
    assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_services_listen_where_they_are_reached_and_no_wider() -> None:
    image, pod, service, _ = commands()
    assert image == pod
    assert "0.0.0.0" in image  # within a network of its own
    assert "127.0.0.1" in service  # next to everything else on the machine


# --- settings


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


# --- the proxies


@pytest.mark.parametrize("policy", [*policies()], ids=["caddy", "kubernetes"])
def test_the_policy_admits_the_one_script_of_streamlits_page_and_no_other(policy: str) -> None:
    import streamlit

    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_bytes().decode()
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in inline}
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert set(rules["script-src"]) == {"'self'", *hashes}, "Streamlit's page has changed; renew the hash"
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


# --- Kubernetes


def test_manifests_fit_together() -> None:
    found = kubernetes()
    for key, document in found.items():
        assert document["apiVersion"] == KUBERNETES[document["kind"]], key
    listed = found["Kustomization/"]["resources"]
    manifests = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert {*listed, "kustomization.yaml", "secret.example.yaml"} == manifests
    namespace = found["Kustomization/"]["namespace"]
    assert f"Namespace/{namespace}" in found
    assert {one["metadata"]["namespace"] for key, one in found.items() if key.startswith("Secret/")} == {namespace}

    deployment = found["Deployment/guidedrec"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert found["Service/guidedrec"]["spec"]["selector"].items() <= labels.items()
    pod = deployment["template"]["spec"]
    claims = [one["persistentVolumeClaim"]["claimName"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert [f"PersistentVolumeClaim/{name}" in found for name in claims] == [True]
    [container] = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    [source] = container["envFrom"]
    assert "GUIDEDREC_DATABASE_URL" in found[f"Secret/{source['secretRef']['name']}"]["stringData"]


def test_a_volume_of_one_pod_is_not_given_to_two() -> None:
    found = kubernetes()
    assert found["Deployment/guidedrec"]["spec"]["replicas"] == 1
    assert found["Deployment/guidedrec"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["PersistentVolumeClaim/guidedrec-home"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    # Without it, the service of this name would set GUIDEDREC_PORT and others in the pod.
    assert found["Deployment/guidedrec"]["spec"]["template"]["spec"]["enableServiceLinks"] is False


# --- the workflow and the audit


def workflow() -> dict[str, Any]:
    return documents(ROOT / ".github" / "workflows" / "ci.yml")[0]


def test_the_workflow_runs_what_ci_runs_and_nothing_of_its_own() -> None:
    runs = [step["run"] for job in workflow()["jobs"].values() for step in job["steps"] if "run" in step]
    assert runs == ["bash .ci/run", "make audit"]
    assert workflow()["permissions"] == {"contents": "read"}
    uses = [step["uses"] for job in workflow()["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", used) for used in uses), uses


def test_the_tools_of_the_audit_are_pinned_apart() -> None:
    lines = [line for line in (DEPLOY / "audit.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.]*", line) for line in lines), lines
    names = {line.split("==")[0].replace("_", "-") for line in lines}
    assert {"pip-audit", "pip-licenses", "cyclonedx-bom"} <= names
    pinned = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"^(pip-audit|pip-licenses|cyclonedx-bom)==", pinned, re.MULTILINE)


# --- SECURITY.md


def test_what_the_threat_model_refers_to_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_threat_model_says_the_limits_of_the_code() -> None:
    from guidedrec_core import files
    from guidedrec_core.data.files import plain

    text = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    assert f"past {plain.MOST_RATIO} times their size (from {plain.RATIO_FROM >> 20} MiB on)" in text
    assert f"or {plain.MOST_UNPACKED >> 30} GiB" in text
    assert f"at most {files._DEEPEST} levels deep" in text
