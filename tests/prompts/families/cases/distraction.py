from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"question": "none"},
        {"question": "biology", "pattern": "HTT", "prior_answer": 0.5},
        {"pattern": ("red", "blue", "red"), "symbols": ("red", "blue", "green"), "p_answer": 0.5},
    ],
    priors=[[{}], [{"question": "none"}]],
    pinned=[({}, 1, "aa74e05d08bbb864476e03a0ae4f92447cfab2e6986d9ecdb97fc424a67d4435")],
    shown={"question": "physics_1"},
    shown_length=3,
    separator=", ",
    refused=[
        ({"question": "chemistry"}, "no question 'chemistry'"),
        ({"pattern": "HX"}, r"pattern='HX' must be one or more symbols of the set \(H, T\)"),
        ({"symbols": ("A", "H")}, "hold an option"),
        ({"prior_answer": 1.0}, r"prior_answer=1\.0 must be above 0 and below 1"),
        ({"p_answer": 0.0}, r"p_answer=0\.0 must be above 0 and below 1"),
        ({"prior_random": 1.0}, r"prior_random=1\.0 must be above 0 and below 1"),
    ],
)
