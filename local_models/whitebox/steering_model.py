"""A local model under an intervention as a `Model`: everything black-box mode measures, on a changed inside."""

from collections.abc import Sequence as Seq

from harness.local_models.adapter import LocalModel
from harness.local_models.whitebox.box import WhiteBox
from harness.local_models.whitebox.interventions import Intervention, combined_key
from harness.types import Capabilities, Failure, Form, Reply, Request


class SteeredModel:
    """See `harness.types.Model`. The name and the fingerprint say what is done, so that no reply is mistaken.

    Interventions that depend on the row (a patch of many rows) or on a named
    span cannot be applied here.
    """

    def __init__(self, model: LocalModel, *interventions: Intervention, box: WhiteBox | None = None) -> None:
        self._model = model
        self._interventions = interventions
        self._box = box or WhiteBox(model.loaded.model, model.loaded.tokenizer)
        self._key = combined_key(interventions)
        with self._box.applied(*interventions):  # what does not fit is refused now
            pass

    @property
    def name(self) -> str:
        """The model's name and what is done to it."""
        return f"{self._model.name} [{self._key}]" if self._key else self._model.name

    @property
    def fingerprint(self) -> str:
        """That of the model, and the keys of the interventions."""
        return f"{self._model.fingerprint}; {self._key}" if self._key else self._model.fingerprint

    @property
    def batch_size(self) -> int:
        """Rows of one forward pass."""
        return self._model.batch_size

    @property
    def attempts(self) -> int:
        """One: what fails here fails again."""
        return self._model.attempts

    @property
    def settings(self) -> dict[str, str]:
        """Those of the model, and the interventions."""
        return {**self._model.settings, "interventions": self._key}

    def check(self, request: Request) -> None:
        """Raise what the model raises."""
        self._model.check(request)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return self._model.count_tokens(text)

    async def tokens(self, text: str) -> list[str]:
        """Return what each token of a text stands for."""
        return await self._model.tokens(text)

    async def probe(self, surfaces: Seq[str], between: str, form: Form = "completion") -> Capabilities:
        """Establish what the model can report; an intervention at absolute places does not change it."""
        return await self._model.probe(surfaces, between, form)

    async def send(self, requests: Seq[Request]) -> list[Reply | Failure]:
        """Answer each request under the interventions, while no other pass of the model runs."""
        return await self._model.send_within(requests, lambda: self._box.applied(*self._interventions))

    async def close(self) -> None:
        """Release the model's memory."""
        await self._model.close()
