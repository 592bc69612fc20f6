"""The command group: finds commands without loading them, and turns every error into one line and an exit code.

Heavy libraries are imported only by the command that needs them, so that `--version` and `--help` answer at once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from models.variant_choice import keeping
from vitalkeep.cli import exit_codes
from vitalkeep.cli.broken_pipe import leave_stdout
from vitalkeep.cli.say import say

NOT_MEDICAL = "Not a medical device: it can miss things and raise false alarms. If you feel unwell, call for help."


class _Commands(click.Group):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [
            "run",
            "scan",
            "record",
            "pair",
            "analyze",
            "hrv",
            "evaluate",
            "status",
            "alerts",
            "model",
            "baseline",
            "decode",
            "import",
            "consent",
            "clinic",
            "privacy",
            "sync",
            "doctor",
            "simulate",
            "completion",
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        match cmd_name:
            case "run":
                from vitalkeep.cli.run import run

                return run
            case "scan":
                from vitalkeep.cli.scan import scan

                return scan
            case "record":
                from vitalkeep.cli.record import record

                return record
            case "pair":
                from vitalkeep.cli.pair import pair

                return pair
            case "analyze":
                from vitalkeep.cli.analyze import analyze

                return analyze
            case "hrv":
                from vitalkeep.cli.hrv import hrv

                return hrv
            case "evaluate":
                from vitalkeep.cli.evaluate import evaluate

                return evaluate
            case "status":
                from vitalkeep.cli.status import status

                return status
            case "alerts":
                from vitalkeep.cli.alerts import alerts

                return alerts
            case "model":
                from vitalkeep.cli.model import model

                return model
            case "baseline":
                from vitalkeep.cli.baseline import baseline

                return baseline
            case "decode":
                from vitalkeep.cli.decode import decode

                return decode
            case "import":
                from vitalkeep.cli.import_ import import_

                return import_
            case "consent":
                from vitalkeep.cli.consent import consent

                return consent
            case "clinic":
                from vitalkeep.cli.clinic import clinic

                return clinic
            case "privacy":
                from vitalkeep.cli.privacy import privacy

                return privacy
            case "sync":
                from vitalkeep.cli.sync import sync

                return sync
            case "doctor":
                from vitalkeep.cli.doctor import doctor

                return doctor
            case "simulate":
                from vitalkeep.cli.simulate import simulate

                return simulate
            case "completion":
                from vitalkeep.cli.completion import completion

                return completion
            case _:
                return None

    # A reader who leaves early is met here, before click, which would make it an exit code of 1.

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **named)
        except BrokenPipeError:
            leave_stdout()
            raise click.exceptions.Exit(exit_codes.OK) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            leave_stdout()
            return exit_codes.OK


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"vitalkeep {version('vitalkeep')}")
        ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 an input was wrong or a record failed; 2 wrong usage; 3 the store cannot be used; "
    "4 the configuration is wrong; 70 an internal error; 130 interrupted.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def app() -> None:
    """Reads wearable heart sensors, works everything out on this device and keeps it encrypted here.

    Nothing is sent anywhere, unless you pair with a clinic and agree to it.

    Not a medical device: it can miss things and raise false alarms.

    \b
    Examples:
      vitalkeep scan
      vitalkeep run --device "Polar H10"
      vitalkeep run --replay fixtures/recordings/chest_strap.jsonl.gz --speed 10
      vitalkeep analyze holter.edf
      vitalkeep analyze --json night.csv --fs 130
      vitalkeep hrv morning.txt
      vitalkeep evaluate mitdb/
      vitalkeep status
    """


def _kept_variant(name: str) -> str | None:
    from vitalkeep.variant_file import kept_variant

    return kept_variant(name)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line in this process, which has no network from here on; returns the exit code."""
    from device_pipeline.no_network import install

    install()
    for library in ("OMP", "OPENBLAS", "MKL"):
        # Read once, when numpy is loaded. The matrices here are small: threads only wait for each other, and warm a Pi.
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    try:
        with keeping(_kept_variant):
            code = app.main(args=list(arguments), prog_name="vitalkeep", standalone_mode=False)
        return code if isinstance(code, int) else exit_codes.OK
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", exit_codes.INTERRUPTED)
    except Exception as problem:
        return _explain(problem)


def _explain(problem: Exception) -> int:
    from device_pipeline.errors import ConfigError, PipelineError, StoreError
    from models.errors import ModelError
    from sensors.errors import SensorError
    from sync.outbox import OutboxError
    from sync.private.errors import LedgerError, PrivacyError

    match problem:
        case ConfigError():
            return _say(str(problem), exit_codes.CONFIG)
        case StoreError() | LedgerError() | OutboxError():
            return _say(str(problem), exit_codes.STORE)
        case SensorError() | PipelineError() | ModelError() | PrivacyError():
            return _say(str(problem), exit_codes.FAILED)
        case OSError():
            where = f"{problem.filename}: " if problem.filename else ""
            return _say(f"{where}{problem.strerror or type(problem).__name__}", exit_codes.FAILED)
        case _:
            if os.environ.get("VITALKEEP_DEBUG"):
                raise problem
            # The message of an unforeseen error may carry a value of the wearer's, so only its type is told.
            return _say(
                f"internal error ({type(problem).__name__}); set VITALKEEP_DEBUG=1 to see where", exit_codes.INTERNAL
            )


def _say(message: str, code: int) -> int:
    say(message)
    return code
