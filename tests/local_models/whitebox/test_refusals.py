"""What cannot be read or edited as asked is refused, with what is allowed."""

import numpy as np
import pytest

from harness.errors import ContextTooLong, WhiteBoxError
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Ablate, Add, Intervention, Patch
from harness.local_models.whitebox.sites import Site, TokenRows, Where
from tests.local_models.whitebox.tiny_models import box_of, rows_of, vector

pytest.importorskip("torch")


def edited(box: WhiteBox, rows: TokenRows, intervention: Intervention) -> None:
    box.log_probs(rows, [1], interventions=[intervention])


@pytest.mark.parametrize(
    ("where", "message"),
    [("output", r"layer 3 is not in 0\.\.2"), ("heads", r"layer 3 is not in 0\.\.2")],
)
def test_a_layer_out_of_range_is_refused(where: Where, message: str) -> None:
    box, rows = box_of("llama"), rows_of(4)
    with pytest.raises(WhiteBoxError, match=message):
        box.captured(rows, [Site(3, where)])
    with pytest.raises(WhiteBoxError, match=r"layer -1 is not in 0\.\.2"):
        edited(box, rows, Add(Site(-1), vector(32)))


def test_an_unknown_site_is_refused() -> None:
    with pytest.raises(WhiteBoxError, match="'mlp' is no site; it is input, output or heads"):
        Site(0, "mlp")  # type: ignore[arg-type]
    with pytest.raises(WhiteBoxError, match="no attention heads were found in layer 0"):
        box_of("mamba").captured(rows_of(4), [Site(0, "heads")])
    with pytest.raises(WhiteBoxError, match="no span 'query' in these rows; there are all, last"):
        box_of("llama").captured(rows_of(4), [Site(0, "output", "query")])
    with pytest.raises(WhiteBoxError, match="position 9 is outside row 0, which has 4 tokens"):
        box_of("llama").captured(rows_of(4), [Site(0, "output", (9,))])
    with pytest.raises(WhiteBoxError, match=r"head 4 is not in 0\.\.3"):
        edited(box_of("llama"), rows_of(4), Ablate(0, 4))


def test_a_vector_of_the_wrong_width_or_not_finite_is_refused() -> None:
    box, rows = box_of("llama"), rows_of(4)
    with pytest.raises(WhiteBoxError, match=r"a steering vector has shape \(31,\); this model needs \(32,\)"):
        edited(box, rows, Add(Site(0), vector(31)))
    with pytest.raises(WhiteBoxError, match=r"a patch has shape \(1, 4, 16\); this model needs \(1, 4, 32\)"):
        edited(box, rows, Patch(Site(0), np.zeros((1, 4, 16), np.float32)))
    with pytest.raises(WhiteBoxError, match="not finite"):
        edited(box, rows, Add(Site(0), np.full(32, np.nan, np.float32)))
    with pytest.raises(WhiteBoxError, match="states of width 8 are not of this model, whose width is 32"):
        box.lens(np.zeros((2, 8), np.float32), [1])
    with pytest.raises(WhiteBoxError, match=r"the mean of a head has shape \(5,\); this model needs \(8,\)"):
        edited(box, rows, Ablate(0, 1, mean=vector(5)))


@pytest.mark.parametrize("places", [2, 4])
def test_a_patch_takes_neither_a_part_of_a_span_nor_more_than_it_has(places: int) -> None:
    box, rows = box_of("llama"), TokenRows(rows_of(6, 6).ids, {"word": ((1, 2, 3), (2, 3, 4))})
    patch = Patch(Site(0, "output", "word"), np.zeros((2, places, 32), np.float32))
    with pytest.raises(WhiteBoxError, match=f"a patch of {places} places does not fit row 0.*names 3"):
        edited(box, rows, patch)


def test_a_patch_by_rows_is_not_applied_where_rows_are_unknown() -> None:
    box = box_of("llama")
    by_rows = Patch(Site(0, "output", "last"), np.zeros((2, 1, 32), np.float32))
    with pytest.raises(WhiteBoxError, match="whose rows are not known"), box.applied(by_rows):
        pass
    with pytest.raises(WhiteBoxError, match="a patch from 2 rows has nothing for row 2"):
        edited(box, rows_of(4, 4, 4), by_rows)


def test_tokens_and_lengths_the_model_does_not_have_are_refused() -> None:
    box = box_of("gpt2")
    with pytest.raises(WhiteBoxError, match=r"token 40 is not in 0\.\.39"):
        box.captured(TokenRows(((1, 40),)), [Site(0)])
    with pytest.raises(WhiteBoxError, match=r"token -1 is not in 0\.\.39"):
        box.log_probs(rows_of(4), [-1])
    with pytest.raises(ContextTooLong, match="a row has 65 tokens where the model was made for 64"):
        box.captured(rows_of(65), [Site(0)])


def test_rows_that_name_unequal_numbers_of_places_are_refused() -> None:
    box = box_of("llama")
    with pytest.raises(WhiteBoxError, match=r'names 3 to 5 places a row.*reduce="mean"'):
        box.captured(rows_of(3, 5), [Site(0)])
    with pytest.raises(WhiteBoxError, match="name 5 and 3 places at one site"):
        box.captured(rows_of(3, 5), [Site(0)], batch_size=1)
    with pytest.raises(WhiteBoxError, match="no site to capture"):
        next(box.capture(rows_of(3), []))
    with pytest.raises(WhiteBoxError, match="no rows to capture"):
        box.captured(TokenRows(()), [Site(0)])
