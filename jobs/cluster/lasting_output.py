"""Whether what a job on a cluster writes will be found: not in what Ray deletes, nor on each machine's own disk."""

from __future__ import annotations

import os
import sys

import ray

from jobs.runs.terminal import say
from pipeline.errors import DLCodeGenError

_UNPACKED = "/_ray_pkg_"
"""In the paths of the packages that Ray unpacks for a job, and deletes when nobody uses them."""


def require_lasting(out: str) -> None:
    """Raises DLCodeGenError for a local folder in the package that Ray has unpacked for this job."""
    if out and "://" not in out and _UNPACKED in os.path.abspath(out):
        raise DLCodeGenError(
            f"--out {out}: in the package that Ray unpacked for this job and deletes again; give a URL, such as "
            "s3://bucket/run1, or the whole path of a folder that all machines share"
        )


def warn_of_own_disks(out: str) -> None:
    """Says on standard error that a local folder has to be the same disk on all machines of the cluster."""
    machines = sum(node["Alive"] for node in ray.nodes())
    if out and "://" not in out and machines > 1:
        say(
            f"--out {out} has to be the same disk on all {machines} machines of the cluster: each writes there what it "
            "has done. Otherwise give a URL, such as s3://bucket/run1",
            sys.stderr,
        )
