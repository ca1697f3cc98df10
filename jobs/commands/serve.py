"""`dlcodegen serve` and `dlcodegen keys`: the online service, and who may use it."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table

from jobs.commands.options import ConfigFile, Overrides
from jobs.runs.terminal import Screen

app = typer.Typer()

keys = typer.Typer(help="Keys of the online service (docs/serving.md).", no_args_is_help=True)
app.add_typer(keys, name="keys")

_DATABASE = "dlcodegen-online.sqlite"

_HELP = "The service's file or server, as serve.database names it."

DatabaseOption = Annotated[str, typer.Option("--database", help=_HELP)]


@app.command(
    epilog="Examples:  dlcodegen serve   |   dlcodegen serve serve.port=9000 planner=hybrid:DIR   |   "
    "dlcodegen serve --config serving.yaml --write deploy.yaml",
)
def serve(
    overrides: Overrides = None,
    config: ConfigFile = None,
    write: Annotated[
        str, typer.Option("--write", help="Start nothing; write what Ray's own `serve deploy` takes to this file.")
    ] = "",
) -> None:
    """Serve plans, projects and a page over HTTP, on this machine, until Ctrl-C or SIGTERM."""
    from pipeline.config import load_settings
    from serving.settings import ServeConfig

    settings = load_settings(ServeConfig, config, overrides or [])
    screen = Screen()
    if write:
        from jobs.serve import deploy_yaml
        from pipeline.storage.files import write_bytes

        write_bytes(write, deploy_yaml(settings).encode())
        screen.print(f"written to {write}; on the cluster: serve deploy {write}", highlight=False, soft_wrap=True)
        return
    from jobs.serve import main

    def ready(address: str, secret: str | None) -> None:
        screen.print(f"page:  {address}", highlight=False, soft_wrap=True)
        screen.print(f"API:   {address}v1 (OpenAI-compatible, model=dlcodegen)", highlight=False, soft_wrap=True)
        if secret is not None:
            screen.print(f"key:   {secret}", highlight=False, soft_wrap=True)
            screen.print("       it is shown this once; further ones: dlcodegen keys add NAME", highlight=False)
        screen.print("Ctrl-C ends it, when what is under way is done", highlight=False)

    main(settings, ready, _until_interrupted)


def _until_interrupted() -> None:
    """Returns at Ctrl-C or SIGTERM, which are how a service ends, and no error."""
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose it is.")],
    database: DatabaseOption = _DATABASE,
    scopes: Annotated[str, typer.Option("--scopes", help="Of projects, completions, admin; joined by commas.")] = (
        "projects,completions"
    ),
    days: Annotated[float | None, typer.Option("--days", min=0.001, help="It expires after so many.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option("--requests-per-minute", min=1)] = 600,
    concurrent: Annotated[int | None, typer.Option("--concurrent", min=1, help="Projects under way at once.")] = 64,
    projects: Annotated[int | None, typer.Option("--projects", min=0, help="Projects in all.")] = None,
    tokens: Annotated[int | None, typer.Option("--tokens", min=0, help="Tokens of language models in all.")] = None,
) -> None:
    """Make a key; it is printed this once."""
    from pipeline.errors import DLCodeGenError
    from serving.settings import QuotaSettings
    from serving.store.database import Database
    from serving.store.keys import SCOPES, Keys

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    if not wanted or set(wanted) - set(SCOPES):
        raise DLCodeGenError(f"--scopes {scopes}: there are {', '.join(SCOPES)}")
    quotas = QuotaSettings(
        requests_per_minute=requests_per_minute, concurrent=concurrent, projects=projects, tokens=tokens
    )
    key, secret = Keys(Database(database)).add(name, quotas, wanted, days)
    print(secret)
    Screen().print(f"{key.id} for {', '.join(key.scopes)}; only its digest is kept", highlight=False)


@keys.command("list")
def list_keys(database: DatabaseOption = _DATABASE) -> None:
    """Show all keys and what they have used."""
    from serving.store.database import Database
    from serving.store.keys import Keys
    from serving.store.quotas import Quotas

    opened = Database(_existing(database))
    quotas = Quotas(opened)
    table = Table("key", "name", "scopes", "state", "projects", "tokens")
    for key in Keys(opened).all():
        used = quotas.used(key.id)
        state = "valid" if key.valid else ("revoked" if key.revoked else "expired")
        table.add_row(key.id, key.name, ", ".join(key.scopes), state, str(used.projects), str(used.tokens))
    Screen().print(table)


@keys.command()
def revoke(
    id: Annotated[str, typer.Argument(metavar="KEY", help="As `keys list` shows it: key_...")],
    database: DatabaseOption = _DATABASE,
) -> None:
    """End a key, and the sessions that it opened."""
    from pipeline.errors import DLCodeGenError
    from serving.store.database import Database
    from serving.store.keys import Keys

    if not Keys(Database(_existing(database))).revoke(id):
        raise DLCodeGenError(f"there is no key {id}; `dlcodegen keys list` shows them")
    print(f"{id} is revoked")


def _existing(database: str) -> str:
    import os

    from pipeline.errors import DLCodeGenError

    if "://" not in database and not os.path.exists(database):
        raise DLCodeGenError(f"{database}: there is no such file; name the service's with --database")
    return database
