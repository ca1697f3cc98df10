"""The service itself, whatever asks it: the API, the page, or a chat client."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass

from pipeline.foreign_text import json_line
from pipeline.records import Requirement
from serving.api.asked import NewProject, first_record
from serving.api.code_model import CodeModel
from serving.api.errors import ApiError, over_quota
from serving.settings import ServeConfig
from serving.store.database import Database
from serving.store.gateways import Gateways
from serving.store.keys import Key, Keys
from serving.store.projects import FINISHED, Project, Projects, RepeatedDifferently
from serving.store.quotas import OverQuota, Quotas
from serving.work.events import CREATED
from serving.work.runs import Runs

_CALLS_PER_WAITING_STAGE = 2
"""Questions that a stage asks at most, each continued and asked again: the two drafts are one stage."""

_UNKNOWN_CONTEXT = 16_384
"""Tokens of a call at most, where the model's context length is not known."""

_BUSY_SECONDS = 5.0
"""After which a client that found the service full may come again."""

_log = logging.getLogger("dlcodegen.serving")

_audit = logging.getLogger("dlcodegen.audit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """A project that was asked for."""

    project: Project
    repeated: bool
    """Whether the same request, with the same Idempotency-Key, had made it before."""


class Service:
    """Everything that a route needs."""

    def __init__(
        self, config: ServeConfig, database: Database, runs: Runs, code_model: CodeModel | None = None
    ) -> None:
        self.config, self.settings = config, config.serve
        self.database, self.runs, self.code_model = database, runs, code_model
        self.gateways = Gateways(database)
        self.keys, self.projects = Keys(database), Projects(database)
        self.quotas = Quotas(database, self.gateways.id)

    def start(self) -> int:
        """Goes on with the projects that gateways which ended had under way; how many."""
        self.gateways.enter()
        taken = self.gateways.take_over()
        self._see_to_own()
        return taken

    def look_after(self) -> int:
        """Says that this gateway lives, takes over from those that do not, and sees to its own projects; how many it
        has taken over. A file has no other gateway. Raises DatabaseFault."""
        taken = 0
        if self.database.is_shared:
            self.gateways.beat()
            taken = self.gateways.take_over()
        self._see_to_own()
        return taken

    def _see_to_own(self) -> None:
        """Works on what is this gateway's own: after a fault of the database, or a silence after which others have
        taken over, that may be something else."""
        self.runs.work_on(self.projects.under_way(self.gateways.id))
        for id in self.projects.abandoned(self.gateways.id):
            self.runs.cancel(id)

    def leave(self) -> None:
        """What is not finished is for other gateways."""
        self.gateways.leave()

    def submit(self, key: Key, asked: NewProject, repeat_key: str | None = None) -> Submitted:
        """Begins a project, or finds the one that the same request has begun. Raises ApiError where that cannot be."""
        digest = hashlib.sha256(json.dumps(asked.model_dump()).encode()).hexdigest()
        if repeat_key is not None:
            known = self._repeated(key, repeat_key, digest)
            if known is not None:
                return Submitted(project=known, repeated=True)
        self.require_room()
        parent = None if asked.from_project is None else self.row_of(self.find(key, asked.from_project))
        record, begin = first_record(asked, self.config, [stage.name for stage in self.runs.stages], parent)
        id = self.projects.new_id()
        try:
            with self.database.transaction():
                self.quotas.reserve(id, key, projects=1, tokens=self.tokens_of_project())
                project = self.projects.add(id, key.id, record, begin, asked.from_project, self.gateways.id)
                self.projects.append(id, CREATED, {"id": id, "parent": asked.from_project})
                if repeat_key is not None:
                    self.projects.remember(key.id, repeat_key, digest, id)
        except OverQuota as error:
            self.runs.metrics.rejected(error.code)
            raise over_quota(error) from error
        self.runs.begin(project)
        return Submitted(project=project, repeated=False)

    def delete_expired(self) -> int:
        """Deletes projects that are older than they may be; how many."""
        deleted = self.projects.delete_expired(self.settings.retention_days)
        if deleted:
            _log.info("deleted %d projects that were older than retention_days", deleted)
        return deleted

    def find(self, key: Key, id: str) -> Project:
        """The key's project. Raises ApiError (404) for any other."""
        project = self.projects.find(id, key.id)
        if project is None:
            raise ApiError(404, "project_not_found", f"there is no project {id[:40]}")
        return project

    def status_of(self, id: str) -> str | None:
        """How a project stands now; None for one that is gone."""
        status: str | None = self.database.value("SELECT status FROM projects WHERE id = ?", id)
        return status

    def cancel(self, project: Project) -> None:
        """Ends a project that is under way; one that has ended is deleted."""
        if project.status in FINISHED:
            self.projects.delete(project.id)
        else:
            self.projects.abandon(project.id)  # another gateway may have it
            self.runs.cancel(project.id)

    def require_room(self) -> None:
        """Raises ApiError (503) while no further work is taken."""
        if self.runs.draining:
            raise ApiError(503, "shutting_down", "the service is being restarted", retry_after=_BUSY_SECONDS)
        if self.runs.full:
            self.runs.metrics.rejected("overloaded")
            raise ApiError(503, "overloaded", "too much is under way; try again shortly", retry_after=_BUSY_SECONDS)

    def row_of(self, project: Project) -> Requirement | None:
        """The project's row, as far as it is; None for one that was cancelled."""
        return self.projects.record_of(project.id) or self.runs.latest(project.id)

    def tokens_of_project(self) -> int:
        """What a project can cost at most, in tokens of language models."""
        writing, context = self.config.writing, self.config.llm.context_length or _UNKNOWN_CONTEXT
        calls = _CALLS_PER_WAITING_STAGE * (2 + writing.continuations)
        waiting = sum(stage.waits for stage in self.runs.stages)
        return waiting * calls * context

    def audit(self, method: str, path: str, key: str) -> None:
        """Writes down who did what, never what was asked for."""
        _audit.info(json_line({"method": method, "path": path, "key": key}))

    def _repeated(self, key: Key, name: str, digest: str) -> Project | None:
        try:
            known = self.projects.repeated(key.id, name, digest)
        except RepeatedDifferently:
            message = "this Idempotency-Key was used for another request in the last 24 hours; use a new one"
            raise ApiError(422, "idempotency_key_reused", message) from None
        return None if known is None else self.projects.find(known, key.id)
