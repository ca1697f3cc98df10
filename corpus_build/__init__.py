"""From notebooks to training data: DLPlanData, DLSamplePool and DLCodeEval. The chapters, in the order of the build:

    records settings drops store careful    the rows of every step, what decides them, why a file leaves, the folder,
                                            and work on files that may kill their process
    read/          files of any kind -> notebooks of one framework, when they ran, what Meta Kaggle says of them
    deduplicate/   exact duplicates, near-duplicate clusters, and which notebook of each stays
    extract/       a notebook -> requirement, dataset attributes, solution plan, by its code and by a language model
    divide/        which row goes into which set, and that no two sets share one
    write/         the sets, the drop report, the data card, the audit, the review of the pool

A chapter imports only those above it. Each one's work on a shard is a step (`ScanStep`, `SignStep`, `PairStep`,
`ExtractStep`, `OverlapStep`): it reads what earlier steps wrote for its shard, writes one file of its own, and returns
how many rows it did. A shard whose worker died is done again file by file, each in a process of its own.
`jobs/corpus.py` runs the steps in order.
"""
