"""Whether what was observed is what the plan says and the request asks: the real network's layers, the optimizer at
work, the loss, batch and epochs, as far as they could be seen. `pipeline.measures.delivery` is what reading the code
says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.execution.keeping.layers import kinds_of, planned_kinds, says_same
from pipeline.execution.keeping.requested import requested_checks
from pipeline.execution.ladder import Rung, RungEvidence, RuntimeCheck, RuntimeOutcome
from pipeline.execution.losses import canonical, same_loss
from pipeline.execution.observation import Observation, ObservedNetwork, ObservedTraining
from pipeline.measures.conformance import longest_common_subsequence
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_loss, canonical_metric, canonical_optimizer
from pipeline.request.constraints import Constraint


def runtime_checks(
    observation: Observation, plan: SolutionPlan | None, constraints: Sequence[Constraint], *, is_whole: bool
) -> tuple[RuntimeCheck, ...]:
    """The plan's statements and then the request's, each beside what was observed. `is_whole` says whether the project
    came to its own end: of a loop that was stopped, how many epochs it wanted is not known."""
    training = main_training(observation)
    if training is None:
        return ()
    network = _network_of(training, observation)
    checks: list[RuntimeCheck] = []
    if plan is not None:
        checks += _settings(training, plan, is_whole)
        checks += _layers(network, plan)
    checks += requested_checks(training, network, constraints, epochs_of(training, is_whole))
    return tuple(checks)


def keeping(checks: Sequence[RuntimeCheck]) -> RungEvidence:
    """The evidence for `keeps_plan`: all that could be observed is met."""
    observable = [check for check in checks if check.outcome != "not_observable"]
    broken = [check for check in observable if check.outcome == "not_met"]
    if not observable:
        seen = "no plan and no request to keep to" if not checks else "nothing of it can be observed"
        return RungEvidence(rung=Rung.KEEPS_PLAN, outcome="not_measurable", seen=seen)
    if broken:
        parts = [f"{check.name} {check.observed} instead of {check.wanted}" for check in broken[:3]]
        seen = f"{len(broken)} of {len(observable)} not met: {'; '.join(parts)}"
        return RungEvidence(rung=Rung.KEEPS_PLAN, outcome="failed", seen=seen[:400])
    return RungEvidence(rung=Rung.KEEPS_PLAN, outcome="reached", seen=f"{len(observable)} statements met")


def main_training(observation: Observation) -> ObservedTraining | None:
    """The training that a plan with one network speaks of: the first of those with the most steps."""
    trained = [training for training in observation.trainings if training.steps]
    return max(trained, key=lambda training: training.steps, default=None)


def epochs_of(training: ObservedTraining, is_whole: bool) -> int | None:
    """How many epochs were wanted: as `fit` and Lightning were told, and in a loop as many as there were."""
    if training.epochs_asked is not None:
        return training.epochs_asked
    return training.epochs_ended if is_whole and training.epochs_ended else None


def _network_of(training: ObservedTraining, observation: Observation) -> ObservedNetwork | None:
    for network in observation.networks:
        if network.id == training.network:
            return network
    return None


def _settings(training: ObservedTraining, plan: SolutionPlan, is_whole: bool) -> Iterator[RuntimeCheck]:
    stated = plan.hyperparameters
    optimizer = canonical_optimizer(stated.optimizer)
    if optimizer:
        observed = canonical_optimizer(training.optimizer) or training.optimizer
        yield _compared("optimizer", optimizer, observed, observed == optimizer if observed else None)
    loss = canonical_loss(stated.loss)
    if loss:
        seen = canonical(training.loss)
        yield _compared("loss", loss, seen or training.loss, same_loss(seen, loss) if seen else None)
    if stated.learning_rate is not None:
        yield _number("learning_rate", stated.learning_rate, training.learning_rate)
    if stated.batch_size is not None:
        yield _number("batch_size", stated.batch_size, training.batch_size)
    if stated.epochs is not None:
        yield _number("epochs", stated.epochs, epochs_of(training, is_whole))
    metric = canonical_metric(stated.metric)
    if metric:
        names = {canonical_metric(name.removeprefix("val_")) for log in training.epoch_logs for name in log}
        accuracy = "accuracy" in metric and any("accuracy" in name for name in names)
        seen_metrics = ", ".join(sorted(names - {""}))
        is_met = (metric in names or accuracy) if training.by == "fit" and names else None
        yield _compared("metric", metric, seen_metrics, is_met)


def _layers(network: ObservedNetwork | None, plan: SolutionPlan) -> Iterator[RuntimeCheck]:
    if not plan.layers:
        return
    planned = planned_kinds(plan.layers, network.framework if network is not None else "keras")
    wanted = ", ".join(planned)[:200]
    if network is None or not network.layers:
        yield RuntimeCheck(
            source="plan", name="layers", wanted=wanted, observed="the network was not seen", outcome="not_observable"
        )
        return
    built = kinds_of(network, planned)
    if built is None:
        observed = "a known network's own layers stand among them"
        yield RuntimeCheck(source="plan", name="layers", wanted=wanted, observed=observed, outcome="not_observable")
        return
    common = longest_common_subsequence(planned, built)
    is_met = len(common) == len(planned) == len(built)
    yield _compared("layers", wanted, ", ".join(built)[:200], is_met)


def _number(name: str, wanted: float, observed: float | None) -> RuntimeCheck:
    is_met = says_same(observed, wanted) if observed is not None else None
    return _compared(name, f"{wanted:g}", f"{observed:g}" if observed is not None else "", is_met)


def _compared(name: str, wanted: str, observed: str, is_met: bool | None) -> RuntimeCheck:
    """`is_met` None where it was not seen."""
    outcome: RuntimeOutcome = "not_observable"
    if is_met is not None:
        outcome = "met" if is_met else "not_met"
    return RuntimeCheck(source="plan", name=name, wanted=wanted, observed=observed or "not seen", outcome=outcome)
