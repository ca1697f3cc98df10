"""Plots of a corpus: rows by task category and set, drops by reason, years of execution."""

from __future__ import annotations

import io

from corpus_build.divide.split import SETS
from corpus_build.write.stats import CorpusStats
from pipeline.foreign_text import plot_text
from pipeline.storage.files import write_bytes


def plot_stats(stats: CorpusStats, url: str) -> None:
    """Writes the plots as one PNG picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (categories, drops, years) = pyplot.subplots(1, 3, figsize=(17, 6), layout="constrained")
    names = sorted(stats.categories, key=lambda name: sum(stats.categories[name].values()))
    left = [0] * len(names)
    for set_name in SETS:
        counts = [stats.categories[name][set_name] for name in names]
        categories.barh([plot_text(name) for name in names], counts, left=left, label=set_name)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    categories.set_title("rows by task category")
    categories.legend(fontsize="small")
    reasons = sorted(stats.dropped, key=lambda name: stats.dropped[name])
    drops.barh(reasons, [stats.dropped[name] for name in reasons], color="tab:gray")
    drops.set_title("files dropped, by reason")
    in_order = sorted(stats.years)
    years.bar(in_order, [stats.years[year] for year in in_order], color="tab:olive")
    years.set_title("rows by year of execution")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    pyplot.close(figure)
    write_bytes(url, buffer.getvalue())
