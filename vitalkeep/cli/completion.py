"""Shell completion: prints the script that a shell loads."""

from __future__ import annotations

import click


@click.command("completion", short_help="Print the completion script for your shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for your shell.

    \b
    Examples:
      vitalkeep completion bash > ~/.local/share/bash-completion/completions/vitalkeep
      vitalkeep completion zsh > ~/.zfunc/_vitalkeep
      vitalkeep completion fish > ~/.config/fish/completions/vitalkeep.fish

    \b
    Exit codes: 0 done; 2 wrong usage.
    """
    from click.shell_completion import get_completion_class

    from vitalkeep.cli.app import app

    script = get_completion_class(shell)
    assert script is not None, "click knows every shell of the choice"
    click.echo(script(app, {}, "vitalkeep", "_VITALKEEP_COMPLETE").source())
