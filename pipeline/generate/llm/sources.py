"""What writers draw on besides the row: the sample pool, the known requirements, C-CoT's chains of thought."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipeline.generate.llm.chains import Categories, load_chains
from pipeline.retrieval.sample_pool import Sample, load_known_plans, load_samples, samples_for_own_data


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Locations, as the settings have them.

    They travel to the workers, and what lies there is loaded by the first row that needs it.
    """

    pool: str
    plans: str
    chains: str

    @cached_property
    def samples(self) -> dict[str, Sample]:
        """The pool's samples by their ids, with those for rows with data of their own."""
        samples = (*samples_for_own_data(self.pool), *load_samples(self.pool))
        return {sample.id: sample for sample in samples}

    @cached_property
    def categories(self) -> Categories:
        """The known requirements by task category."""
        return Categories(load_known_plans(self.plans))

    @cached_property
    def chain_of_category(self) -> dict[str, str]:
        """C-CoT's chains of thought. Raises DLCodeGenError where there are none."""
        return load_chains(self.chains)
