"""The `lightly` command."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from lightly.cli import main as cli
from lightly.cli.admin import admin

PROGRAM = str(Path(sys.executable).parent / "lightly")


def test_help_lists_every_command_and_loads_none():
    code = "import sys, lightly.cli.main as m; from click.testing import CliRunner; "
    code += "print(CliRunner().invoke(m.lightly, ['--help']).output); "
    code += "print([n for n in ('numpy', 'fastapi', 'sqlalchemy', 'requests') if n in sys.modules])"

    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert all(name in output for name in cli.COMMANDS)
    assert output.strip().endswith("[]")


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help(name):
    result = CliRunner().invoke(cli.lightly, [name, "--help"])

    assert result.exit_code == 0, result.output


def test_an_unknown_command_is_named():
    result = CliRunner().invoke(cli.lightly, ["sever"])

    assert result.exit_code == 2
    assert "sever" in result.output


def test_the_public_package_in_the_same_environment_is_refused(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda _name: "1.5.26")

    with pytest.raises(SystemExit, match="cannot live together"):
        cli.refuse_mixed_installation()


def test_adding_a_user_prints_only_the_token(tmp_path):
    result = subprocess.run(
        [PROGRAM, "admin", "user", "add", "a@example.com", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(result.stdout.strip()) == 64
    assert result.stdout.count("\n") == 1


def test_users_can_be_listed_disabled_and_get_new_tokens(tmp_path):
    place = ["--data-dir", str(tmp_path / "data")]
    run = CliRunner().invoke
    first = run(admin, ["user", "add", "a@example.com", *place]).output.strip()

    rotated = run(admin, ["token", "rotate", "a@example.com", *place]).output.strip()
    disabled = run(admin, ["user", "disable", "a@example.com", *place])
    listed = run(admin, ["user", "list", *place]).output

    assert first != rotated
    assert disabled.exit_code == 0
    assert "a@example.com\tdisabled" in listed


@pytest.mark.parametrize("email", ["nobody", "a b@c", "@", "a@", "x" * 400 + "@y"])
def test_what_is_no_address_is_refused(tmp_path, email):
    result = subprocess.run(
        [PROGRAM, "admin", "user", "add", email, "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "not an e-mail address" in result.stderr
