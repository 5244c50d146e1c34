from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"symbols": "pair", "memory": 2, "depth": 3}],
    priors=[[{}]],
    pinned=[({}, 3, "32e4fead0f944e148a6a037fdac8138875c808453af643b161f2d38a8ab3950a")],
    refused=[
        ({"symbols": ("a", "b", "c")}, "has 3 symbols; two random bits and their exclusive or has 2"),
        ({"memory": -1}, "memory=-1 must be >= 0"),
        ({"depth": -1}, "depth=-1 must be >= 0"),
    ],
)
