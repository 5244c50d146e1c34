from tests.prompts.families.case import Case

CASE = Case(
    params=[
        {},
        {"library": 1, "library_seed": 3, "mean_size": 1.5},
        {
            "library": 20,
            "states": (3, 5),
            "used": (2, 2),
            "max_edges": 2,
            "mean_size": 4.5,
            "symbols": ("a", "b", "c"),
        },
    ],
    priors=[[{}], [{"library": 20, "states": (3, 5), "used": (2, 2), "max_edges": 2, "symbols": ("a", "b")}]],
    pinned=[
        ({}, 1, "08ef9c5bfb4fb5b46f8af20f87badfd4cc00f1b15ad884a125ed7fe5ea2bbd73"),
        (
            {"library": 20, "library_seed": 5, "mean_size": 6.0},
            2,
            "4ae6926a0088ed5aa538d635fe59c550eade733d9eb8e0be7c1af1b5ff8b44d5",
        ),
    ],
    shown={"mean_size": 6.0},
    shown_length=24,
    shorter=(),
    ends=True,
    refused=[
        ({"library": 0}, r"library=0 must be in 1\.\.4096"),
        ({"library_seed": -1}, "library_seed=-1 >= 0"),
        ({"states": (3, 12)}, r"states=\(3, 12\) must be a lower and an upper bound above max_edges=3"),
        ({"states": (12, 4)}, "must be a lower and an upper bound"),
        ({"states": (4, 65)}, "at most 64"),
        ({"used": (2, 18)}, r"used=\(2, 18\) must be a lower and an upper bound in max_edges \(3\)\.\.18"),
        ({"used": (4, 19)}, r"\.\.18, the number of symbols"),
        ({"max_edges": 0}, "max_edges=0"),
        ({"mean_size": 2.25}, r"must be a multiple of 0\.5"),
        ({"symbols": ("a", "|", "c", "d")}, "separates the words"),
    ],
)
