from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"period": 5, "delay": 0},
        {"period": 2, "delay": 1000, "symbols": "digits"},
        {"period": 8, "hazard": 0.5, "symbols": ("a", "b", "c")},
    ],
    priors=[[{"period": k, "hazard": 0.1} for k in range(1, 9)]],
    pinned=[
        ({}, 3, "babcf6740d26e11ea25309f237a558fc323072d05fa34c730e7b534c38d1c857"),
        (
            {"period": 6, "delay": 90, "symbols": "digits"},
            4,
            "ff6b847add479cae860ce4329dc92925f5bcfe6cdedcb9acd87cd95edb52ede3",
        ),
    ],
    shown={"period": 3, "delay": 4},
    separator=", ",
    refused=[
        ({"period": 9}, r"period=9 must be in 1\.\.max_period \(8\)"),
        ({"period": 0}, r"period=0 must be in 1\.\.max_period"),
        ({"delay": -1}, "delay=-1 must be >= 0 or 'geometric'"),
        ({"hazard": 0.0}, r"hazard=0\.0 must be at least 0\.0001 and below 1"),
        ({"hazard": 1.0}, "must be at least"),
    ],
)
