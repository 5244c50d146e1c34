from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"order": 0, "symbols": "digits", "alpha": 0.3},
        {"order": 2, "symbols": ("a", "b", "c"), "alpha": 2.5},
    ],
    priors=[
        [{}],
        [{"order": 0, "symbols": "digits", "alpha": 2.0}],
        [{"order": 2, "symbols": ("a", "b", "c"), "alpha": 0.3}],
    ],
    pinned=[
        ({}, 5, "c21ff221f8a6800e342e1240580339ca32705f34515537d45bf4e77d291fa763"),
        (
            {"order": 2, "symbols": "digits"},
            6,
            "308e0a78577eabcb52e992af3edc8e1be5796897ab1c45550d2b14e1a615d0be",
        ),
    ],
    refused=[
        ({"order": -1}, "order=-1"),
        ({"order": 4, "symbols": "letters"}, "at most 4096 contexts"),
        ({"order": 10**9}, "at most 4096 contexts"),
        ({"alpha": 0.0}, r"alpha=0\.0 must be finite and > 0"),
    ],
)
