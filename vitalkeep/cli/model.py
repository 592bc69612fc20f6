"""`vitalkeep model`: the models on this device, and how others come and go; each command loads when asked for."""

from __future__ import annotations

import click


class _ModelCommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [
            "list",
            "show",
            "verify",
            "bench",
            "install",
            "promote",
            "rollback",
            "drop",
            "pin",
            "trust",
            "untrust",
            "keys",
            "revoke",
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        match cmd_name:
            case "list":
                from vitalkeep.cli.model_list import list_

                return list_
            case "show":
                from vitalkeep.cli.model_show import show

                return show
            case "verify":
                from vitalkeep.cli.model_verify import verify

                return verify
            case "bench":
                from vitalkeep.cli.model_bench import bench

                return bench
            case "install":
                from vitalkeep.cli.model_install import install

                return install
            case "promote":
                from vitalkeep.cli.model_slots import promote

                return promote
            case "rollback":
                from vitalkeep.cli.model_slots import rollback

                return rollback
            case "drop":
                from vitalkeep.cli.model_slots import drop

                return drop
            case "pin":
                from vitalkeep.cli.model_slots import pin

                return pin
            case "trust":
                from vitalkeep.cli.model_trust import trust

                return trust
            case "untrust":
                from vitalkeep.cli.model_trust import untrust

                return untrust
            case "keys":
                from vitalkeep.cli.model_trust import keys

                return keys
            case "revoke":
                from vitalkeep.cli.model_trust import revoke

                return revoke
            case _:
                return None


@click.group("model", cls=_ModelCommands, short_help="The models on this device; install, try, take back.")
def model() -> None:
    """The models on this device: what they are for, whether they are what they should be, and how others come and go.

    A model that comes with the program needs none of this. Another one comes as a signed file, first runs in shadow
    (it scores, and warns of nothing), serves once it is promoted, and goes back by itself where it fails.

    \b
    Examples:
      vitalkeep model list
      vitalkeep model show screen
      vitalkeep model verify
      vitalkeep model trust lab.vkkey.pub
      vitalkeep model install screen-1.1.0.vkmodel
      vitalkeep model promote screen
      vitalkeep model rollback screen

    \b
    Exit codes of all of them: 0 done; 1 refused (no bundle, not trusted, golden scores missed, nothing
    to promote or to go back to), or a check of verify failed; 2 wrong usage.
    """
