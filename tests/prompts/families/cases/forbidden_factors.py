from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"factors": ("11",)},
        {"k": 3, "law": "uniform"},
        {"k": 3, "factors": ("000", "111"), "p_forbidden": 0.5},
        {"symbols": ("a", "b", "c"), "factors": ("ab", "ca"), "law": "uniform"},
        {"factors": ()},
    ],
    priors=[
        [{}],
        [{"k": 3, "law": "uniform"}],
    ],
    pinned=[
        ({"factors": ("11",)}, 1, "c63353e7704585e6babdf5263a235031fcadb41bdcfcd4832d8094299cd03628"),
        ({"k": 3, "law": "uniform"}, 2, "428adc925fdf64fa2e65f7d6810c1f9d7777da4d68f72e6636c92f3dcc4f8e2c"),
    ],
    shown={"factors": ("11",)},
    shown_length=16,
    shorter=(),
    ends=True,
    refused=[
        ({"k": 1}, "k=1 with 2 symbols must be at least 2"),
        ({"k": 4}, r"at most 9 factors \(2\*\*k\)"),
        ({"symbols": "digits"}, "at most 9 factors"),
        ({"p_forbidden": 0.0}, r"p_forbidden=0\.0 must be above 0 and below 1"),
        ({"factors": ("12",)}, "has '12'; each must be one of 00, 01, 10, 11"),
        ({"factors": ("00", "01", "11")}, "without 00, 01, 11 there is no law 'parry'"),
        ({"factors": ("01",)}, "several parts grow equally fast"),
        ({"factors": ("00", "01", "11"), "law": "uniform"}, "sequences end"),
    ],
)
