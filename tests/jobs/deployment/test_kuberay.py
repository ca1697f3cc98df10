"""Manifests for KubeRay: the schemas of the API accept them, unknown fields included, and they keep strangers out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft4Validator
from ray.serve.schema import ServeDeploySchema

from jobs.deployment.rendering import RAY_VERSION
from pipeline.errors import DLCodeGenError
from tests.jobs.deployment.rendered import ROOT, documents, rendered

SCHEMAS = ROOT.parent / "shared" / "kuberay"
VARIANTS = [
    [],
    ["job.executes=true"],
    ["job.executes=true", "execution.runtime_class=gvisor", "execution.seccomp_profile=profiles/dlcodegen.json"],
    ["gpu.max=0", "image.cpu=registry.example/dlcodegen:cpu"],
    ["storage.kind=volume", "job.executes=true", "storage.storage_class=nfs"],
    ["gpu.node_labels={cloud.google.com/gke-spot: 'true'}", "access.keys=[]", "storage.service_account=''"],
]


@pytest.fixture(scope="module")
def validators() -> dict[str, Draft4Validator]:
    """KubeRay's own v1 schemas by kind, as strict as the API server is told to be: unknown fields are errors."""
    if not SCHEMAS.is_dir():
        pytest.skip("needs KubeRay's schemas in ../shared")
    found = {}
    for path in SCHEMAS.glob("*.crd.json"):
        definition = json.loads(path.read_text())["spec"]
        schema = _strict(definition["versions"][0]["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        found[definition["names"]["kind"]] = Draft4Validator(schema)
    return found


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


@pytest.mark.shared
@pytest.mark.parametrize("settings", VARIANTS)
def test_kuberay_s_schemas_accept_them(validators: dict[str, Draft4Validator], settings: list[str]) -> None:
    checked = [document for document in documents(rendered("kubernetes", *settings)) if document["kind"] in validators]
    assert [document["kind"] for document in checked] == ["RayJob", "RayService"]
    for document in checked:
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in _errors(validators, document)]
        assert errors == []


@pytest.mark.shared
def test_a_misspelt_field_is_noticed(validators: dict[str, Draft4Validator]) -> None:
    (job,) = [document for document in documents(rendered("kubernetes")) if document["kind"] == "RayJob"]
    job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["maxReplica"] = 3
    assert [error.message for error in _errors(validators, job)] != []


def _errors(validators: dict[str, Draft4Validator], document: dict[str, Any]) -> Iterator[Any]:
    errors: Iterator[Any] = validators[document["kind"]].iter_errors(document)
    return errors


@pytest.mark.parametrize("settings", VARIANTS)
def test_kubernetes_own_objects_are_valid(settings: list[str]) -> None:
    core = [
        document for document in documents(rendered("kubernetes", *settings)) if "ray.io" not in document["apiVersion"]
    ]
    assert {document["kind"] for document in core} >= {"NetworkPolicy", "StatefulSet", "Service"}
    for document in core:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("settings", VARIANTS)
def test_ray_serve_accepts_its_configuration(settings: list[str]) -> None:
    (service,) = [
        document for document in documents(rendered("kubernetes", *settings)) if document["kind"] == "RayService"
    ]
    config = ServeDeploySchema.model_validate(yaml.safe_load(service["spec"]["serveConfigV2"]))
    (application,) = config.applications
    assert application.import_path == "ray.serve.llm:build_openai_app"
    (model,) = application.args["llm_configs"]
    assert model["model_loading_config"]["model_source"] == "deepseek-ai/deepseek-coder-1.3b-instruct"
    on_gpus = "tensor_parallel_size" in model["engine_kwargs"]
    assert on_gpus is ("gpu.max=0" not in settings)


def _clusters(*settings: str) -> Iterator[dict[str, Any]]:
    for document in documents(rendered("kubernetes", *settings)):
        if document["kind"] == "RayJob":
            yield document["spec"]["rayClusterSpec"]
        if document["kind"] == "RayService":
            yield document["spec"]["rayClusterConfig"]


def _pods(*settings: str) -> Iterator[dict[str, Any]]:
    for document in documents(rendered("kubernetes", *settings)):
        if document["kind"] == "StatefulSet":
            yield document["spec"]["template"]
        if document["kind"] == "RayJob":
            yield document["spec"]["submitterPodTemplate"]
    for cluster in _clusters(*settings):
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            yield group["template"]


def test_both_clusters_demand_the_token_and_grow_within_bounds() -> None:
    clusters = list(_clusters("job.executes=true"))
    assert len(clusters) == 2
    for cluster in clusters:
        assert cluster["authOptions"] == {"mode": "token", "secretName": "dlcodegen-ray-token"}
        assert cluster["autoscalerOptions"]["version"] == "v2"
        assert cluster["rayVersion"] == RAY_VERSION
        assert all(group["maxReplicas"] >= 1 for group in cluster["workerGroupSpecs"])


def test_no_pod_is_root_or_may_become_it() -> None:
    pods = list(_pods("job.executes=true"))
    assert len(pods) == 8
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_each_pod_is_behind_a_network_policy() -> None:
    files = documents(rendered("kubernetes", "job.executes=true"))
    policies = [
        document["spec"]["podSelector"]["matchLabels"] for document in files if document["kind"] == "NetworkPolicy"
    ]
    for pod in _pods("job.executes=true"):
        labels = pod["metadata"]["labels"].items()
        assert any(policy.items() <= labels for policy in policies), pod["metadata"]


def _job_that_executes(*overrides: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job, and its group for generated code."""
    files = documents(rendered("kubernetes", "job.executes=true", *overrides))
    (job,) = [document for document in files if document["kind"] == "RayJob"]
    (group,) = [g for g in job["spec"]["rayClusterSpec"]["workerGroupSpecs"] if g["groupName"] == "execution"]
    return job, group


def _execution_pod(*overrides: str) -> dict[str, Any]:
    _, group = _job_that_executes(*overrides)
    pod: dict[str, Any] = group["template"]["spec"]
    return pod


def test_generated_code_may_have_a_kernel_or_a_filter_of_its_own() -> None:
    assert "runtimeClassName" not in _execution_pod()
    assert _execution_pod()["securityContext"]["seccompProfile"] == {"type": "Unconfined"}
    pod = _execution_pod("execution.runtime_class=gvisor", "execution.seccomp_profile=profiles/a.json")
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["securityContext"]["seccompProfile"] == {"type": "Localhost", "localhostProfile": "profiles/a.json"}


def test_generated_code_runs_in_a_user_namespace_without_keys() -> None:
    job, group = _job_that_executes()
    pod = group["template"]["spec"]
    assert pod["hostUsers"] is False
    assert pod["automountServiceAccountToken"] is False
    assert "env" not in pod["containers"][0]
    # The driver of the job, which runs the code, finds its place there and nothing else does.
    assert json.loads(job["spec"]["entrypointResources"]) == {"execution": 1}
    assert json.loads(json.loads(group["rayStartParams"]["resources"])) == {"execution": 1}
    assert group["rayStartParams"]["num-cpus"] == "0"


def test_keys_are_references_to_a_secret() -> None:
    for cluster in _clusters("access.keys=[OPENAI_API_KEY, OTHER_KEY]"):
        (container,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
        assert [variable["name"] for variable in container["env"]] == ["OPENAI_API_KEY", "OTHER_KEY"]
        assert all("secretKeyRef" in variable["valueFrom"] for variable in container["env"])


def test_every_text_stays_one_value() -> None:
    command = "dlcodegen generate 's3://b/in: #1.jsonl' --out s3://b/run \"planner=llm\" {x}"
    (job,) = [
        d for d in documents(rendered("kubernetes", f"job.command={json.dumps(command)}")) if d["kind"] == "RayJob"
    ]
    assert job["spec"]["entrypoint"] == command


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["image.gpu=''"], "image.gpu=REGISTRY/NAME:TAG"),
        (["service.model=deepseek-v2.5"], "8 of them in one machine; the group has at most 2 machines of 1"),
        (["service.replicas=3"], "wants 3 x 1 GPUs"),
        (["cpu.max=0", "gpu.max=0"], "a cluster needs workers"),
        (["job.executes=true", "execution.max=0"], "execution.max is 0"),
        (["access.keys=['A B']"], "access.keys"),
        (["name=Über"], "name"),
        (["gpu.nodes=2"], "there is no setting gpu.nodes"),
    ],
)
def test_what_cannot_be_is_said(settings: list[str], said: str) -> None:
    with pytest.raises(DLCodeGenError, match=said):
        rendered("kubernetes", *settings)
