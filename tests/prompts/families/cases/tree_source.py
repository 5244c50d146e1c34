from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"depth": 0},
        {"depth": 8, "stop": 0.2, "alpha": 0.3},
        {"depth": 2, "symbols": ("a", "b", "c"), "alpha": 1.0},
    ],
    priors=[[{"stop": 0.2}], [{"depth": 2, "symbols": ("a", "b", "c"), "stop": 0.1}]],
    pinned=[
        ({}, 5, "c6eb10972d926778eb69335d5d640750b941e92106aab5b7923af501efbbb5ef"),
        (
            {"depth": 4, "symbols": "digits", "stop": 0.3},
            6,
            "54674e5c58d136439a29f5cd3204306f4d42f62cca1ca2ef40e0d0628626e24d",
        ),
    ],
    shown={"depth": 2},
    refused=[
        ({"depth": -1}, "depth=-1 with 2 symbols must be >= 0"),
        ({"depth": 13}, r"at most 4096 contexts \(2\*\*depth\)"),
        ({"depth": 10**9}, "at most 4096 contexts"),
        ({"stop": 0.0}, r"stop=0\.0 must be above 0 and below 1"),
        ({"stop": 1.0}, r"stop=1\.0 must be above 0 and below 1"),
        ({"alpha": -1.0}, r"alpha=-1\.0 must be finite and > 0"),
    ],
)
