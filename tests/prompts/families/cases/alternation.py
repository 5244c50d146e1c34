from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"a": 0.6}, {"a": 0.0}, {"a": 1.0}, {"symbols": "digits"}],
    priors=[[{}], [{"symbols": "digits"}]],
    pinned=[
        ({}, 1, "6a22e1891b5ac610194f8c0b7b125345991bf859a7a3d18f82a9fc973428e743"),
        (
            {"a": 0.6, "symbols": "digits"},
            2,
            "438e0a44a3bcca7b03e40d31c82b05b80d31b742809d08bbcc15f3a84e951ff0",
        ),
    ],
    separator=", ",
    refused=[
        ({"a": 1.5}, r"a=1\.5 must be in 0\.\.1 or 'uniform'"),
        ({"a": float("nan")}, "a=nan must be in"),
        ({"a": "half"}, "must be a number or 'uniform'"),
    ],
)
