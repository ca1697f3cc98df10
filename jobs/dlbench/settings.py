"""Settings of `dlcodegen dlbench certify` and `run`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CertifyConfig(BaseModel):
    """Which tasks are certified, with what, and where the certificates go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[str, ...] = Field(min_length=1)
    """Files and folders of tasks, or `bundled`."""

    out: str
    """The folder of certificates and results."""

    checkouts: dict[str, str] = {}
    """Repository -> a checkout of it, for those whose wheels ship no tests."""

    mutants: int = Field(3, ge=0, le=50)
    """Mutants made by rule for a task that brings none."""

    warm: bool = True
    """Whether candidates are forked from a process that has their packages imported."""

    accept_weaker: bool = False
    """Runs on a machine that gives less than the sandbox's floor."""

    workers: int | None = Field(None, ge=1)
    """One-CPU workers, each with a task at a time; by default one per CPU of the cluster."""

    address: str | None = None
    """A Ray cluster's address; by default the one this job was submitted to, or a new local one."""

    quiet: bool = False
    """No progress."""
