"""What a deployment is: machines, images, storage, access, and the work on it; the same for every kind of cluster."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import Settings

LABEL = r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
"""A name that Kubernetes, EC2 and Slurm all take, with room for what they put behind it."""

LABEL_OR_NONE = rf"^$|{LABEL}"

VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


class NodeGroup(Settings):
    """Machines of one kind."""

    min: int = Field(0, ge=0)
    """Machines that are always there."""

    max: int = Field(1, ge=0)
    """Machines at most; with 0 the group is left out."""

    cpus: int = Field(4, ge=1)
    """Cores of one machine."""

    gpus: int = Field(0, ge=0)
    """GPUs of one machine."""

    memory_gb: int = Field(16, ge=1)
    """Memory of one machine (Kubernetes, Slurm)."""

    disk_gb: int = Field(100, ge=10)
    """Disk of one machine (clouds): model weights are 3 GB (1.3B) to 700 GB (DeepSeek-V3)."""

    engine: bool = False
    """Whether vLLM, torch and transformers are installed. GPU workers need them; so does the head for `llm=vllm` and
    training, whose drivers run there; so do CPU workers for `planner=gpt2`."""

    spot: bool = False
    """Cheap machines that the cloud may take back at any moment (clouds): shards of theirs are done again elsewhere."""

    instance: str = ""
    """The machine type (clouds), as `c6i.4xlarge`."""

    machine_image: str = ""
    """What it boots (clouds): an AMI, or `resolve:ssm:/...` for the newest of a series; an image family on GCP."""

    node_labels: dict[str, str] = Field(default_factory=dict)
    """Labels that a Kubernetes node must have; spot machines have one on each cloud."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max only {self.max}")
        return self


class HeadGroup(NodeGroup):
    """The machine that schedules, and runs the job's driver; no row is worked on there."""

    min: int = Field(1, ge=1, le=1)
    max: int = Field(1, ge=1, le=1)


class CpuGroup(NodeGroup):
    """Machines that work on rows: one process a core, about 400 MB each."""

    max: int = Field(16, ge=0)
    cpus: int = Field(16, ge=1)
    memory_gb: int = Field(32, ge=1)


class GpuGroup(NodeGroup):
    """Machines that run the engine (`llm=vllm`), and train."""

    max: int = Field(0, ge=0)
    cpus: int = Field(8, ge=1)
    gpus: int = Field(1, ge=1)
    memory_gb: int = Field(32, ge=1)
    disk_gb: int = Field(200, ge=10)
    engine: bool = True


class ExecutionGroup(NodeGroup):
    """Machines that run generated code, in pods of their own user namespace (Kubernetes)."""

    cpus: int = Field(8, ge=1)
    memory_gb: int = Field(32, ge=1)

    runtime_class: str = Field("", pattern=LABEL_OR_NONE)
    """A RuntimeClass of the cluster, as `gvisor`: a kernel of its own between generated code and the node's. The
    sandbox inside finds less of what it needs there (docs/execution.md), so the job wants `accept_weaker`."""

    seccomp_profile: str = ""
    """A profile that lies on the nodes, below the kubelet's folder for them. It has to allow unshare, mount, pivot_root
    and mount_setattr, which the sandbox needs and refuses to projects itself; by default none filters."""


class ImageSettings(Settings):
    """Images built from deploy/Dockerfile, one a variant. Without them a launcher's machines install at boot."""

    plain: str = ""
    """No engine: the symbolic default, and endpoints (`llm=openai`)."""

    cpu: str = ""
    """With the engine for CPUs."""

    gpu: str = ""
    """With the engine for GPUs."""


class StorageSettings(Settings):
    """Where inputs, results and models lie: object storage, or a volume that all pods mount."""

    kind: Literal["s3", "gcs", "volume"] = "s3"
    """`s3` and `gcs` install what s3:// and gs:// need. `volume` is a claim at /data (Kubernetes), or a file
    system that all machines see."""

    service_account: str = ""
    """The Kubernetes service account that may read and write the bucket (IRSA on AWS, workload identity on GCP)."""

    claim: str = "dlcodegen-data"
    """The volume claim's name (Kubernetes)."""

    claim_gb: int = Field(500, ge=1)
    """Its size."""

    storage_class: str = ""
    """Its storage class, one that many nodes can write at once; by default the cluster's own."""


class AccessSettings(Settings):
    """The cluster's token, keys, and who reaches its ports (docs/clusters.md)."""

    token_secret: str = Field("dlcodegen-ray-token", pattern=LABEL)
    """The Kubernetes secret whose `auth_token` is the cluster's token."""

    keys_secret: str = Field("dlcodegen-keys", pattern=LABEL)
    """The Kubernetes secret that holds the variables of `keys`."""

    keys: tuple[Annotated[str, Field(pattern=VARIABLE)], ...] = ()
    """Variables with keys of language models that all jobs get, as OPENAI_API_KEY."""

    keys_file: str = ""
    """A file of `NAME=value` lines with these variables, on the machine that calls `ray up` or `sbatch`."""

    operator_namespace: str = Field("kuberay-operator", pattern=LABEL)
    """Where the KubeRay operator runs, which talks to the head."""

    ssh_from: str = "0.0.0.0/0"
    """Addresses from which the machines can be reached by SSH (AWS); nothing else is open."""


class JobSettings(Settings):
    """The batch job of a RayJob or a Slurm script."""

    command: str = "dlcodegen generate s3://BUCKET/in.jsonl --out s3://BUCKET/run1"
    """What runs. Started again it goes on where it stopped, so retries and requeues repeat it as it is."""

    executes: bool = False
    """Whether it runs generated code: it then runs in the group `execution`."""

    retries: int = Field(2, ge=0)
    """How often a failed job gets a new cluster (Kubernetes)."""

    hours: int = Field(24, ge=1)
    """Longest time."""

    @model_validator(mode="after")
    def _one_line(self) -> Self:
        if "\n" in self.command or not self.command.strip():
            raise ValueError("the command is one line of words")
        return self


class ServiceSettings(Settings):
    """The code model online (Kubernetes): an OpenAI-compatible endpoint for `llm=openai`."""

    model: str = "deepseek-coder-1.3b-instruct"
    """A preset of jobs/configs/models, a hub id, or a folder under /data."""

    replicas: int = Field(1, ge=1)
    """Copies at most."""

    redis_address: str = "redis:6379"
    """Where the cluster's state outlives its head. The default is the Redis that is rendered beside it."""

    redis_secret: str = Field("dlcodegen-redis", pattern=LABEL)
    """The secret whose `password` is that of Redis."""


class CloudSettings(Settings):
    """Where Ray's launcher gets machines from."""

    provider: Literal["aws", "gcp", "on-premise"] = "aws"

    region: str = "us-west-2"

    zone: str = "us-west1-a"
    """GCP's zone."""

    project: str = "MY-PROJECT"
    """GCP's project."""

    ssh_user: str = "ubuntu"

    ssh_private_key: str = "~/.ssh/id_rsa"
    """The key that opens your own machines (on-premise); in clouds Ray makes one."""

    head_identity: str = ""
    """What the head may do: an AWS instance profile; on GCP Ray makes a service account."""

    worker_identity: str = ""
    """What workers may do, to read and write the bucket: an AWS instance profile, or the mail of a GCP service
    account."""

    head_ip: str = "192.0.2.10"
    """Your own machines (on-premise)."""

    worker_ips: tuple[str, ...] = ("192.0.2.11", "192.0.2.12")

    @model_validator(mode="after")
    def _head_may_start_workers(self) -> Self:
        if self.provider == "aws" and self.worker_identity and not self.head_identity:
            raise ValueError("a head may give its workers a profile only if its own allows it; set head_identity too")
        return self


class SlurmSettings(Settings):
    """The allocation of a Slurm job. A node is one of `gpu` where `gpu.max` is set, else one of `cpu`."""

    nodes: int = Field(2, ge=1)

    partition: str = ""

    account: str = ""

    environment: str = ".venv/bin/activate"
    """What the script sources to have `dlcodegen`, from the folder where `sbatch` was called."""


class Deployment(Settings):
    """One cluster and its work."""

    name: str = Field("dlcodegen", pattern=LABEL)

    head: HeadGroup = HeadGroup()
    cpu: CpuGroup = CpuGroup()
    gpu: GpuGroup = GpuGroup()
    execution: ExecutionGroup = ExecutionGroup()
    image: ImageSettings = ImageSettings()
    storage: StorageSettings = StorageSettings()
    access: AccessSettings = AccessSettings()
    job: JobSettings = JobSettings()
    service: ServiceSettings = ServiceSettings()
    cloud: CloudSettings = CloudSettings()
    slurm: SlurmSettings = SlurmSettings()

    @model_validator(mode="after")
    def _has_workers(self) -> Self:
        if not self.cpu.max and not self.gpu.max:
            raise ValueError("a cluster needs workers: cpu.max and gpu.max are both 0")
        if self.job.executes and not self.execution.max:
            raise ValueError("job.executes needs machines to run generated code: execution.max is 0")
        return self

    @property
    def engine_kind(self) -> Literal["gpu", "cpu"]:
        """Which engine the groups with one have: vLLM is one package in two builds, so a cluster has one of them."""
        return "gpu" if self.gpu.max or self.cpu.gpus else "cpu"

    def extras(self, group: NodeGroup) -> str:
        """What of pyproject.toml's extras the machines of a group install, as `[gpu,s3]`; "" for none."""
        names: list[str] = []
        if group.engine:
            names.append(self.engine_kind)
        if self.storage.kind != "volume":
            names.append(self.storage.kind)
        return f"[{','.join(names)}]" if names else ""

    def image_of(self, group: NodeGroup) -> str:
        """The image of a group's machines; "" where none was named."""
        if not group.engine:
            return self.image.plain
        return self.image.gpu if self.engine_kind == "gpu" else self.image.cpu
