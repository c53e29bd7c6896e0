"""The command line as a whole: help, errors, exit codes, what reaches a terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from cli_runner import fine, run
from hypothesis import given
from hypothesis import strategies as st

from aggregator.cli import SECTIONS, cli
from aggregator.cli.output import Form, json_text, put_rows, visible
from aggregator.store import Store

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066 <b>\r\n=cmd|' /C calc'!A0"


# ------------------------------------------------------------------------------------------ help


def test_help_imports_nothing_heavy():
    heavy = [
        "apscheduler",
        "bs4",
        "feedparser",
        "lxml",
        "numpy",
        "requests",
        "rich",
        "sqlite3",
        "sqlite_utils",
        "urllib3",
        "yaml",
    ]
    code = (
        "import sys\n"
        "from aggregator.cli import cli\n"
        "try: cli.main(['--help'])\n"
        f"finally: print(sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stderr.strip() == "[]"


def test_help_names_every_command():
    assert {command.name for commands in SECTIONS.values() for command in commands} == set(cli.commands)
    text = fine("--help")
    assert all(f"  {name} " in text for name in cli.commands)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_with_an_example_that_parses(name):
    text = fine(name, "--help")
    assert cli.commands[name].short_help
    examples = [
        re.split(r"\s{2,}|[|)]", row)[0]
        for row in re.findall(r"(?:^  |\$\()\s*(?:zcat .*\| )?aggregator (.*)", text, re.M)
    ]
    assert examples
    for example in examples:
        command, *args = shlex.split(example.split(" && ")[0])
        flags = {flag for option in cli.commands[command].params for flag in option.opts}
        assert [arg for arg in args if arg.startswith("-") and arg != "-" and arg not in flags] == []


def test_version():
    assert re.fullmatch(r"aggregator \d+\.\d+\.\d+\n", fine("--version"))


def test_options_for_all_commands_may_stand_before_the_command(archive):
    assert fine("--db", "db/news.db", "latest", "-n", 1) == fine("latest", "-n", 1, "--db", "db/news.db")


# ------------------------------------------------------------------------------------------ errors


def test_without_a_command_the_help_is_shown_and_nothing_done():
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.strip() == fine("--help").strip()


def test_a_command_that_is_not_there_is_exit_2_with_a_guess():
    result = run("fetsh")
    assert result.exit_code == 2
    assert "Did you mean 'fetch'?" in result.stderr
    assert result.stdout == ""


def test_mistakes_in_feeds_yaml_are_exit_2_and_all_on_stderr(empty_folder):
    (empty_folder / "feeds.yaml").write_text("feeds:\n- nope\n- url: https://a.example\n  intervall: 1h\n")
    result = run("fetch")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "feeds.yaml:2:3: url: 'nope' is not http or https",
        "feeds.yaml:4:3: intervall: unknown setting; did you mean interval?",
        "error: 2 problems; nothing was done",
    ]
    assert not (empty_folder / "db").exists()


@pytest.mark.parametrize(
    "command", [["latest"], ["read", "1"], ["search", "x"], ["status"], ["why", "1"], ["backup", "b"]]
)
def test_without_a_database_reading_is_exit_2_and_makes_none(empty_folder, command):
    result = run(*command)
    assert result.exit_code == 2
    assert "there is no database yet; `aggregator fetch` makes it" in result.stderr
    assert list(empty_folder.iterdir()) == []


def test_a_file_that_is_no_database_is_exit_2(empty_folder):
    (empty_folder / "x.db").write_text("a shopping list, long enough to be looked at\n" * 40)
    result = run("latest", "--db", "x.db")
    assert result.exit_code == 2
    assert "x.db: this is not an SQLite database; choose another file with --db" in result.stderr


def test_a_bug_is_loud(archive, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the roof is on fire")

    monkeypatch.setattr("aggregator.store.reading.Reading.latest", broken)
    result = run("latest")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert "RuntimeError: the roof is on fire" in result.stderr
    assert "bug: this is a fault of aggregator, not yours." in result.stderr


def test_a_reader_that_has_had_enough_is_no_error(archive):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as nobody:
        command = [sys.executable, "-m", "aggregator", "latest", "--json"]
        result = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_ctrl_c_ends_a_round_with_130_and_keeps_what_is_stored(empty_folder, server):
    slow = server.answer("/slow", body="<rss version='2.0'><channel/></rss>", wait=30)
    (empty_folder / "feeds.yaml").write_text(f"- {slow}\n")
    child = subprocess.Popen([sys.executable, "-m", "aggregator", "fetch"], stderr=subprocess.PIPE, text=True)
    while not server.seen("/slow"):
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "stopping soon" in stderr
    assert "Traceback" not in stderr


# ------------------------------------------------------------------------------------------ what is shown


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_visible(text):
    assert not UNSAFE.search(visible(text))


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_json_escapes_what_a_terminal_obeys_and_loses_nothing(value):
    text = json_text(value)
    assert not UNSAFE.search(text)
    assert json.loads(text) == value


@pytest.mark.parametrize(
    "command",
    [
        ["latest"], ["latest", "--json"], ["latest", "--csv"], ["latest", "--table"], ["read", "1", "c1"],
        ["search", "zanzibar"], ["status"], ["status", "-v"], ["status", "--json"], ["status", "--csv"], ["why", "1"],
        ["why", "1", "--diff"], ["why", "1", "--json"],
    ],
)  # fmt: skip
def test_hostile_text_in_the_database_does_not_reach_the_terminal(archive, command):
    with sqlite3.connect(archive / "db/news.db") as database:
        database.execute(
            "update articles set title = ?, text = text || ?, site = ?", [HOSTILE, "\n\nzanzibar", HOSTILE]
        )
        database.execute(
            "update duplicates set title = ?, site = ?, evidence = ?",
            [HOSTILE, HOSTILE, json.dumps({"x": HOSTILE})],
        )
        database.execute("update boilerplate set text = ?", [HOSTILE])
        database.execute("update feeds set title = ?, error = ?, status = 'failing'", [HOSTILE, HOSTILE])
    database.close()
    with Store(archive / "db/news.db") as store, store.transaction():
        pass  # what was written past the program becomes searchable
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert len(result.stdout) > 20
    assert not UNSAFE.search(result.stdout + result.stderr)


def test_colours_are_for_terminals_and_for_those_who_force_them(archive):
    assert "\x1b[" not in fine("latest")
    assert "\x1b[1m" in fine("latest", FORCE_COLOR="1")
    assert "\x1b[" not in fine("latest", FORCE_COLOR="1", NO_COLOR="1")


def test_an_error_is_coloured_as_everything_else_is():
    assert "\x1b[31m" in run("unfold", "x", FORCE_COLOR="1").stderr
    assert "\x1b[" not in run("unfold", "x", FORCE_COLOR="1", NO_COLOR="1").stderr


def rows_as(form: Form, rows, capsys) -> str:
    put_rows(rows, form)
    return capsys.readouterr().out


def test_rows_as_json_are_one_array_with_a_row_on_each_line(capsys):
    assert rows_as(Form("json", False), [{"a": 1}, {"a": None}], capsys) == '[{"a": 1},\n {"a": null}]\n'
    assert rows_as(Form("json", False), [], capsys) == "[]\n"


def test_rows_as_csv_have_a_header_and_quotes_where_needed(capsys):
    rows = [{"a": 'say "hi", twice\nor more', "b": None}]
    assert rows_as(Form("csv", False), rows, capsys) == 'a,b\n"say ""hi"", twice\nor more",\n'


def test_csv_for_spreadsheets_holds_no_formulas(capsys):
    rows = [{"a": "=1+1", "b": "-5", "c": "-x", "d": "@x"}]
    assert rows_as(Form("csv", True), rows, capsys) == "a,b,c,d\n'=1+1,-5,'-x,'@x\n"


def test_a_table_lines_up_also_with_wide_letters(capsys):
    rows = [{"n": 5, "title": "日本"}, {"n": 12, "title": "x"}]
    assert rows_as(Form("table", False), rows, capsys) == "n   title\n──  ─────\n 5  日本\n12  x\n".replace(
        "n   ", " n  "
    )


def test_only_one_form_at_a_time(archive):
    result = run("latest", "--json", "--csv")
    assert result.exit_code == 2
    assert "give one of --json, --csv and --table" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell):
    assert "_AGGREGATOR_COMPLETE" in fine("completion", shell)


def test_completion_offers_the_names_of_feeds(archive):
    words = {"COMP_WORDS": "aggregator fetch ", "COMP_CWORD": "2", "_AGGREGATOR_COMPLETE": "bash_complete"}
    result = run(**words)
    assert "The Lantern" in result.stdout
