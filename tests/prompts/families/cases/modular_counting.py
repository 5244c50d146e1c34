from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"task": "answer", "modulus": 5},
        {"modulus": 2, "max_modulus": 2, "symbols": ("a", "b", "c"), "mean_size": 1.5},
        {"modulus": 1, "mean_size": 3.5},
    ],
    priors=[
        [{"modulus": k} for k in range(1, 7)],
        [{"task": "answer", "modulus": k} for k in range(1, 7)],
    ],
    pinned=[
        ({}, 1, "35fdde261ef9f6ba89e6ccf3c4f5c38ae521242418893e7b50cc07c98b55db24"),
        (
            {"task": "answer", "modulus": 4},
            2,
            "9213c1b9a88a8ad721ec81341d8db5f5d2b73c77be8b8ff73b0f6b28624bc68c",
        ),
    ],
    shown={"task": "answer", "mean_size": 5.0},
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"modulus": 0}, r"modulus=0 must be in 1\.\.max_modulus \(6\)"),
        ({"modulus": 7}, r"modulus=7 must be in 1\.\.max_modulus \(6\)"),
        ({"max_modulus": 11}, "must be at most 10"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1"),
        ({"task": "answer", "symbols": ("0", "1")}, "all distinct"),
        ({"task": "asnwer"}, "must be 'member' or 'answer'"),
    ],
)
