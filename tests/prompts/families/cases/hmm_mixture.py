from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"n_models": 1, "example_length": 1},
        {"n_models": 7, "n_entities": 1, "n_properties": 5, "symbols": ("a", "b", "c"), "alpha": 0.01},
        {"n_entities": 3, "n_properties": 3, "stay": 1.0, "library": 7, "example_length": 5},
    ],
    priors=[[{}], [{"n_models": 20, "alpha": 0.3, "library": 3}]],
    pinned=[
        ({}, 6, "6f45a7510deaf4bb1efc6dffb06125e0103ef66b4c2a515f6a1ba2418449a6bb"),
        (
            {"n_entities": 3, "stay": 0.5, "library": 2, "example_length": 3},
            7,
            "dba13143087b5f398452a4e1b11c05dcff8140b2c0e28ce49a207030c498af7e",
        ),
    ],
    shown={"example_length": 5},
    shown_length=20,
    refused=[
        ({"n_models": 0}, r"n_models=0 must be in 1\.\.1000"),
        ({"n_properties": 1}, "n_properties=1 at least 2"),
        ({"n_entities": 1}, r"product in 8 \(the number of letters\) \.\. 1024"),
        ({"n_entities": 500}, r"\.\. 1024"),
        ({"example_length": 0}, "example_length=0 must be at least 1"),
        ({"symbols": ("a", "|")}, "which ends an example"),
        ({"stay": 1.1}, r"stay=1\.1 must be in 0\.\.1"),
        ({"alpha": 0.0}, r"alpha=0\.0 must be finite and > 0"),
        ({"library": -1}, r"library=-1 is a seed"),
    ],
)
