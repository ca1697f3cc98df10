"""What writers draw on besides the row: the sample pool, the known requirements, C-CoT's chains of thought."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipeline.generate.llm.chains import Categories, load_chains
from pipeline.retrieval.sample_pool import Sample, load_known_plans, load_samples


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
        """The pool's samples by their ids."""
        return {sample.id: sample for sample in load_samples(self.pool)}

    @cached_property
    def categories(self) -> Categories:
        """The known requirements by task category."""
        return Categories(load_known_plans(self.plans))

    @cached_property
    def chain_of_category(self) -> dict[str, str]:
        """C-CoT's chains of thought. Raises DLCodeGenError where there are none."""
        return load_chains(self.chains)
