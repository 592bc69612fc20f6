"""`completion`: prints the script that a shell loads."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for your shell.

    \b
    vitalkeep-clinic completion bash > ~/.local/share/bash-completion/completions/vitalkeep-clinic
    vitalkeep-clinic completion zsh > ~/.zfunc/_vitalkeep-clinic
    vitalkeep-clinic completion fish > ~/.config/fish/completions/vitalkeep-clinic.fish
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None, "click knows every shell of the choice"
    click.echo(script(context.find_root().command, {}, "vitalkeep-clinic", "_VITALKEEP_CLINIC_COMPLETE").source())
