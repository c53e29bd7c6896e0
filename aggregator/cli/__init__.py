"""The command line: words in, words out. No decisions are made here, and nothing heavy is imported before a command
runs: `aggregator --help` takes a tenth of a second.

Data goes to stdout, talk to stderr. Exit codes: 0 all is well, 1 some feeds failed, 2 nothing was done (usage,
feeds.yaml, database, a bug), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from aggregator import __version__
from aggregator.cli import begin, explain, feeds, read, reader, rounds, shell, stories, texts, upkeep
from aggregator.cli.output import bold, coloured, dim, say
from aggregator.cli.places import Places, db_option, feeds_option, talk_options

__all__ = ["cli", "main"]

INTERRUPTED = 130  # 128 + SIGINT, as shells have it

#: The commands in the order of a day with them.
SECTIONS: dict[str, list[click.Command]] = {
    "Begin": [begin.init, begin.demo],
    "Choose feeds": [feeds.add, feeds.import_, feeds.export, feeds.check],
    "Get the news": [rounds.fetch, rounds.daemon, read.status],
    "Read": [read.latest, read.search, reader.read],
    "Ask why, and correct": [explain.why, stories.unfold, stories.fold, stories.restore],
    "Single texts": [texts.extract, texts.dedupe],
    "Upkeep": [upkeep.prune, upkeep.backup, shell.completion],
}


class Root(click.Group):
    """The group of all commands: one place for errors and exit codes, and help in sections."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, self.commands))
        room = formatter.width - longest - 6
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [((c.name or "").ljust(longest), c.get_short_help_str(room)) for c in commands]
                )

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # `aggregator latest | head`: the reader has had enough, and that is no error
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        return result

    def main(self, *args: Any, **kwargs: Any) -> Any:  # click's own, but for what happens to errors
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no reason to stop
        code = 2
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False}) or 0
        except (KeyboardInterrupt, click.Abort):
            say("interrupted")
            code = INTERRUPTED
        except click.ClickException as error:
            say(coloured("error: ", "red", bold=True), error.format_message())
            if isinstance(error, click.UsageError) and error.ctx:
                say(dim(f"       `{error.ctx.command_path} --help` says more"))
        except Exception as error:
            tell(error)
        sys.exit(code if isinstance(code, int) else 0)


def tell(error: Exception) -> None:
    """An error in words; a bug loudly."""
    from aggregator.errors import AggregatorError, ConfigError

    if isinstance(error, ConfigError):
        say(str(error))
        number = len(error.problems)
        say(coloured("error: ", "red", bold=True), f"{number} problem{'s' * (number > 1)}; nothing was done")
    elif isinstance(error, AggregatorError):
        say(coloured("error: ", "red", bold=True), str(error))
    elif isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        say(coloured("error: ", "red", bold=True), f"{where}{error.strerror}")
    else:
        import traceback

        say("".join(traceback.format_exception(error)).rstrip())
        say(
            coloured("bug: ", "red", bold=True),
            bold("this is a fault of aggregator, not yours."),
            f" Please report what is above, with the command and the version, {__version__}."
            " What was stored before is safe.",
        )


@click.group(
    cls=Root,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`aggregator COMMAND --help` has examples. Begin with `aggregator demo`: it needs no network.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@talk_options
@db_option
@feeds_option
@click.pass_context
def cli(context: click.Context) -> None:
    """The news from your feeds, each story once.

    Reads RSS, Atom and JSON feeds, takes the article out of each page, folds the copies of a story into one,
    and keeps it all in an SQLite database, with what was taken away and why.
    """
    context.ensure_object(Places)
    if context.invoked_subcommand is None:
        say(context.get_help())
        context.exit(2)


for _commands in SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


def main() -> None:
    """The `aggregator` command."""
    cli.main(prog_name="aggregator")
