from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"symbols": ("a", "b"), "memory": 3, "depth": 2}],
    priors=[[{}]],
    pinned=[({}, 1, "8c6ca189ff940e6a3c8f708fd3895431fe4cc29b57c5c1b8189cbfd61a271d29")],
    refused=[
        ({"symbols": "digits"}, "symbols='digits' has 8 symbols; the golden mean process has 2"),
        ({"memory": -1}, "memory=-1 must be >= 0"),
        ({"depth": -1}, "depth=-1 must be >= 0"),
    ],
)
