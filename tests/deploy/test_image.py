"""Image, pod and unit have one version, one user without rights, one port, one health check."""

import re
import tomllib

from deploy_files import DEPLOY, HEALTH, PORT, ROOT, compose, dockerfile, kubernetes, last_stage, unit, workflow

import guidedrec_core
from guidedrec_core.app.serve import SCRIPT


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
