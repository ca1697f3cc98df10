"""Settings of the online service: what decides a project, as in a batch job, and how the service is run."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from pipeline.config import PipelineSettings, Settings
from pipeline.time_limit import ROW_SECONDS

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def on_server(database: str) -> bool:
    """Whether the address of a database is that of a PostgreSQL server, and no file's."""
    return database.startswith(("postgresql://", "postgres://"))


class StageReplicas(Settings):
    """How many processes work on projects, as Serve's autoscaling decides."""

    min: int = Field(1, ge=1)
    """Processes that are always there."""

    max: int | None = Field(None, ge=1)
    """Processes at most; by default one for each CPU of the cluster."""

    cpus: float = Field(1.0, gt=0)
    """CPUs that Ray sets aside for each."""

    rows_in_flight: int = Field(32, ge=1, le=4096)
    """Projects that each may have: under way where stages wait for a language model, waiting for their turn where none
    does."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min is {self.min} and max only {self.max}")
        return self


class QuotaSettings(Settings):
    """What a new key may do; `dlcodegen keys add` says otherwise for one. None is no limit."""

    requests_per_minute: int | None = Field(600, ge=1)
    """Requests in any 60 seconds."""

    concurrent: int | None = Field(64, ge=1)
    """Projects and completions under way at once."""

    projects: int | None = Field(None, ge=0)
    """Projects in all."""

    tokens: int | None = Field(None, ge=0)
    """Tokens of language models in all, prompts and replies together."""


class OnlineSettings(Settings):
    """The service itself."""

    host: str = "127.0.0.1"
    """The address it listens on. On another one than this machine's own it starts only where there are keys."""

    port: int = Field(8700, ge=1, le=65535)
    """The port it listens on."""

    database: str = "dlcodegen-online.sqlite"
    """Projects, events, keys and quotas: an SQLite file on this machine, or `postgresql://USER@HOST/NAME`. The password
    stands better in PGPASSWORD or ~/.pgpass than there."""

    gateways: int = Field(1, ge=1)
    """Processes at most that answer requests; as many as there is load for. Several share a PostgreSQL server."""

    retention_days: float = Field(30, gt=0)
    """Projects that are finished are deleted after so many days."""

    most_under_way: int = Field(64, ge=1)
    """Projects under way at once, waiting ones included; further ones are answered 503 at once."""

    deadline_seconds: float = Field(600, gt=0)
    """Longest time of one project by the clock."""

    row_seconds: float = Field(ROW_SECONDS, gt=0)
    """Processor time that a project may take in one stage."""

    body_bytes: int = Field(1_000_000, ge=1_000)
    """The longest body of a request."""

    requirement_characters: int = Field(20_000, ge=100)
    """The longest requirement, words about the data, and prompt of a completion."""

    drain_seconds: float = Field(30, ge=0)
    """What projects under way get to finish when the service is ended."""

    origins: tuple[str, ...] = ()
    """Further addresses (`https://host`) that the page is reached by, as behind a proxy."""

    stages: StageReplicas = StageReplicas()
    """Who works on projects."""

    quotas: QuotaSettings = QuotaSettings()
    """What a new key may do."""

    @model_validator(mode="after")
    def _one_gateway_a_file(self) -> Self:
        if self.gateways > 1 and not on_server(self.database):
            raise ValueError(
                f"gateways={self.gateways} share a database on a server: give database=postgresql://USER@HOST/NAME"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK


class ServeConfig(PipelineSettings):
    """What decides a project, and the service."""

    serve: OnlineSettings = OnlineSettings()
    """How it is run."""

    def __init__(self, **settings: Any) -> None:
        """Takes groups (`serve=...`) and short words (`planner=...`)."""
        super().__init__(**settings)
