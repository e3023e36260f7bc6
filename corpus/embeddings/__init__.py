"""Counting a concept by the embeddings of a corpus's images instead of its captions.

A row shows a concept when its largest cosine to any of the concept's references reaches the concept's cut.
Every row is looked at in float32 (or coarser, on an accelerator) with a known largest error; the few whose
answer the error could turn are computed again in float64. So the counts do not depend on the block size, the
number of threads, the device, or its precision.
"""
