"""`serve`: receives messages and shows pages until stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sync.clinic.cli.options import FAILED, data_options, told
from sync.clinic.clock import SystemClinicClock

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@data_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: one that is free.")
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Most requests of one address in ten minutes; 0: no limit.",
)
@click.option("--certificate", type=click.Path(dir_okay=False, path_type=Path), help="TLS: the chain, as PEM.")
@click.option("--private-key", type=click.Path(dir_okay=False, path_type=Path), help="TLS: its key, as PEM.")
@click.option(
    "--proxy-header",
    metavar="NAME",
    help="Sign-in by a proxy, which says in this header who somebody is; no passwords.",
)
@click.option(
    "--proxy-address",
    "proxy_addresses",
    multiple=True,
    metavar="ADDRESS",
    help="Of the proxy, or its network; may be given again. This machine is believed about addresses without it.",
)
def serve(
    folder: Path,
    database_url: str | None,
    host: str,
    port: int,
    rate: int,
    certificate: Path | None,
    private_key: Path | None,
    proxy_header: str | None,
    proxy_addresses: tuple[str, ...],
) -> None:
    """Receive messages and show pages until stopped. The address is the first line on standard output.

    Behind a proxy that speaks TLS, listen on 127.0.0.1: X-Forwarded-For, -Proto and -Host are believed from there.

    \b
    vitalkeep-clinic serve --data /srv/clinic
    vitalkeep-clinic serve --host 0.0.0.0 --port 443 --certificate chain.pem --private-key key.pem
    vitalkeep-clinic serve --proxy-header X-Forwarded-User --proxy-address 127.0.0.1
    """
    if proxy_header is not None and not proxy_addresses:
        raise click.UsageError("--proxy-header needs --proxy-address: where it is believed from")
    if (certificate is None) != (private_key is None):
        raise click.UsageError("--certificate and --private-key go together")
    if certificate is None and host not in _LOOPBACK:
        click.echo("without --certificate nobody outside is served with TLS: devices will refuse it", err=True)
    try:
        from sync.clinic.serve import serve as run
    except ImportError as missing:
        click.echo(f"{missing.name} is not installed: pip install 'vitalkeep[clinic]'", err=True)
        sys.exit(FAILED)
    with told():
        run(
            folder,
            SystemClinicClock(),
            host=host,
            port=port,
            most_per_address=rate,
            certificate=certificate,
            private_key=private_key,
            ready=lambda url: print(url, flush=True),
            database_url=database_url,
            proxy_header=proxy_header,
            proxy_addresses=proxy_addresses,
        )
