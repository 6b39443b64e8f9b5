"""What image, pod and units run are commands that exist, and they listen where they are reached."""

import shlex

import pytest
import yaml
from click.testing import CliRunner
from deploy_files import PORT, kubernetes, last_stage, unit

from guidedrec_core.cli.main import main


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
