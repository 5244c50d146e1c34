from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"symbols": "coin", "memory": 0, "depth": 2}],
    priors=[[{}]],
    pinned=[({}, 2, "d7058d70b2389316d05d92752e89e05e806a0bd53402df20953ca3ad6ae722ee")],
    refused=[
        ({"symbols": "letters"}, "has 16 symbols; the even process has 2"),
        ({"memory": -1}, "memory=-1 must be >= 0"),
        ({"depth": -1}, "depth=-1 must be >= 0"),
    ],
)
