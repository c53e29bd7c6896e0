"""The files of docs/deploy: what systemd and Docker would make of them, and whether the commands in them exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cli_runner import run

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("aggregator*.*"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for name in UNITS:
        text = (DEPLOY / name).read_text()
        text = re.sub(
            r"/opt/aggregator/bin/\w+", sys.executable, text
        )  # whatever is there: it looks that it can run it
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in result.stderr.splitlines() if "aggregator" in line]
    assert (result.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_the_commands_of_the_units_exist(name):
    for line in re.findall(
        r"^Exec\w+=/opt/aggregator/bin/aggregator (.+)$", (DEPLOY / name).read_text(), re.M
    ):
        verb, *options = shlex.split(line)
        result = run(verb, "--help")
        assert result.exit_code == 0
        assert all(option in result.output for option in options)


def test_the_timer_starts_the_service_of_its_name():
    assert "Unit=" not in (DEPLOY / "aggregator-fetch.timer").read_text()
    assert (DEPLOY / "aggregator-fetch.service").is_file()


def test_both_containers_share_one_volume_and_one_image():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services["daemon"]["volumes"] == services["web"]["volumes"]
    assert services["daemon"]["build"] == services["web"]["build"]
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"]), "not open to the world"


def test_what_the_dockerfile_copies_is_there():
    for line in re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M):
        assert all((DEPLOY.parents[1] / name).exists() for name in line.split())


@pytest.mark.skipif(
    not shutil.which("docker")
    or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode,
    reason="docker compose is not here",
)
def test_docker_compose_reads_its_file():
    command = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
