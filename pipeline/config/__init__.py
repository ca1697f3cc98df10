"""Settings of the pipeline: one group for each part, and how they are read from YAML and `key=value` words."""

from pipeline.config.execution import ExecutionSettings
from pipeline.config.llm import LimitSettings, LLMSettings, PriceSettings
from pipeline.config.loading import load_settings
from pipeline.config.parts import DataSettings, PipelineSettings, PlannerSettings, RetrievalSettings
from pipeline.config.settings import AUTO, SHORT_WORDS, Settings, grouped
from pipeline.config.writing import PLAIN_TEMPERATURE, WITHOUT_LLM, CCotSettings, Method, WritingSettings

__all__ = [
    "AUTO",
    "PLAIN_TEMPERATURE",
    "SHORT_WORDS",
    "WITHOUT_LLM",
    "CCotSettings",
    "DataSettings",
    "ExecutionSettings",
    "LLMSettings",
    "LimitSettings",
    "Method",
    "PipelineSettings",
    "PlannerSettings",
    "PriceSettings",
    "RetrievalSettings",
    "Settings",
    "WritingSettings",
    "grouped",
    "load_settings",
]
