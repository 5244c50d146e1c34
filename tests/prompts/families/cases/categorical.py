from harness.types import Params
from tests.prompts.families.case import Case

TOLD: Params = {"probabilities": (0.7, 0.2, 0.1), "announced": True}

CASE = Case(
    params=[
        {},
        {"symbols": "letters", "alpha": 0.2},
        {"probabilities": (0.5, 0.25, 0.25)},
        TOLD,
        {"probabilities": (1, 0.0), "symbols": "coin", "announced": True},
    ],
    certain=[{"probabilities": (1, 0.0), "symbols": "coin", "announced": True}],
    priors=[[{"symbols": "letters", "alpha": 3.0}], [TOLD]],
    pinned=[
        ({}, 1, "a4c71cc8aae6576fd3d0e7c2d226a29e747a8dd6a7b62b635c438150d7042cb9"),
        (
            {"symbols": "letters", "alpha": 0.2},
            2,
            "fc507e02a82cf616c11497ea8e8ce325c70579bcb6c14b0d8ba3cfa9f220cf7a",
        ),
    ],
    separator=", ",
    refused=[
        ({"alpha": 0.0}, r"alpha=0\.0 must be finite and > 0"),
        ({"announced": True}, "announced: true needs probabilities to announce"),
        ({"probabilities": (0.5, 0.5)}, "must be 3 numbers >= 0, one for each of a, b, c"),
        ({"probabilities": (0.5, 0.7, -0.2)}, "that sum to 1"),
        ({"probabilities": (0.5, 0.4, 0.2)}, "that sum to 1"),
        ({"probabilities": (0.5, 0.5, float("nan"))}, "that sum to 1"),
    ],
)
