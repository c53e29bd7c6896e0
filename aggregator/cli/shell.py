"""`completion`: the Tab key."""

from __future__ import annotations

import click

SHELLS = ("bash", "fish", "zsh")


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes the Tab key complete commands, options and the names of feeds.

    \b
    Use it with:
      eval "$(aggregator completion bash)"   in ~/.bashrc
      eval "$(aggregator completion zsh)"    in ~/.zshrc
      aggregator completion fish > ~/.config/fish/completions/aggregator.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(context.find_root().command, {}, "aggregator", "_AGGREGATOR_COMPLETE").source())
