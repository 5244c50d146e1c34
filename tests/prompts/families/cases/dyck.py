from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"k": 1, "sizes": "uniform", "mean_size": 3.0},
        {"k": 3, "symbols": ("A", "B", "C", "a", "b", "c"), "mean_size": 1.5},
        {"stream": "word", "mean_size": 30.0},
    ],
    priors=[[{}], [{"k": 1, "stream": "word", "mean_size": 30.0}]],
    pinned=[
        ({}, 1, "80cca875f37430a91fdde2b44540f6e6de0551cd8ac0d2617b4ac6540332027d"),
        ({"k": 1, "stream": "word"}, 2, "28f49b0d0f9d6da94ded894f4ebd9952a47fa279f406ffc5e127e57e68d8f9fb"),
    ],
    shown={"mean_size": 4.0},
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"k": 0}, "k=0 types of brackets: there must be at least 1"),
        ({"k": 5}, "only 4 types of brackets have names; give 10 symbols"),
        ({"symbols": ("(", ")")}, "must be 4: 2 that open, then 2 that close"),
        ({"k": 1, "symbols": ("(", "(")}, "all distinct"),
        ({"k": 1, "symbols": ("(", "|")}, "separates the words"),
        ({"mean_size": 0.0}, r"mean_size=0\.0 must be in 1\.\.1000"),
    ],
)
