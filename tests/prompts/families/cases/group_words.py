from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"form": "each"},
        {"form": "identity", "mean_size": 3.0},
        {"group": "a5", "mean_size": 1.5},
        {"group": "a5", "form": "each", "symbols": ("A", "9")},
        {"group": "a5", "form": "identity"},
    ],
    priors=[
        [{}],
        [{"group": "a5", "form": "each"}],
        [{"form": "identity"}],
    ],
    pinned=[
        ({}, 1, "e1df7fecbe9a0c5d88496be81ab74582c378ae72397c57a35cfd551b32a4d33e"),
        (
            {"group": "a5", "form": "each"},
            2,
            "5a90c173dea3fba785b0f357e802ead8cd6e312f594b1d71cad3f92ea51df10c",
        ),
        (
            {"group": "a5", "form": "identity"},
            3,
            "7f24bb56f17332ab3426803f68fe3ff32f5f07871872fcae5161fe697d22e306",
        ),
    ],
    shown={"form": "each"},
    shown_length=26,
    separator=" ",
    shorter=(),
    ends=True,
    refused=[
        ({"group": "s5"}, "must be 's3' or 'a5'"),
        ({"symbols": "digits"}, "it needs 2"),
        ({"form": "each", "mean_size": 3.0}, "form: each, which has no words"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1"),
        ({"symbols": ("x", "=")}, "all distinct"),
    ],
)
