from tests.prompts.families.case import Case

CASE = Case(
    params=[{}, {"counts": (40, 20)}, {"counts": (70, 0, 5), "symbols": ("a", "b", "c")}],
    priors=[[{"counts": (45, 15)}]],
    pinned=[
        ({}, 1, "0219c41e6d15d1b149ac8f96c27bf7a625708a452dbf40876f8f4ef141905345"),
        (
            {"counts": (150, 50, 20), "symbols": ("a", "b", "c")},
            2,
            "b4ec3a1e4bcbf2d6a9f291dc19bd8d02e32961a6a52b940e11ca989c8bce79f7",
        ),
    ],
    shown={"counts": (10, 4)},
    separator=", ",
    ends=True,
    refused=[
        ({"counts": (30, 29)}, r"length=60 is more than the 59 symbols of counts=\(30, 29\)"),
        ({"counts": (30, 30, 30)}, "must be 2 integers >= 0, one for each of H, T"),
        ({"counts": (70, -1)}, "must be 2 integers >= 0"),
        ({"counts": (0, 0)}, "not all 0"),
        ({"counts": ()}, "must be 2 integers >= 0"),
    ],
)
