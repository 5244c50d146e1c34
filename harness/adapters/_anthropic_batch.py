"""Anthropic's Message Batches: the same requests worked on within a day, at half the price."""

from collections.abc import Sequence as Seq
from dataclasses import replace

from harness.adapters import _anthropic_wire as wire
from harness.adapters._anthropic_results import Batch, parse_batch, parse_page, parse_results
from harness.adapters._service_model import ServiceModel
from harness.adapters._transport import Json
from harness.types import BatchState, Failure, Reply, Request

_PATH = "/v1/messages/batches"
_MOST_PAGES = 100  # of 100 batches each
_CLOCKS_APART_S = 3600.0  # a provider's clock may be off by this much


class AnthropicModel(ServiceModel):
    """A model that is asked at once or in batches."""

    batch_limit = 10_000  # the service takes 100,000, and 256 MB: it answers more with 413, an "overflow"

    async def submit(self, requests: Seq[tuple[str, Request]], nonce: str) -> str | Failure:
        """Hand in requests, once; see `BatchModel.submit`. The service takes no nonce.

        Optional fields are those that a direct call was answered with: a batch
        would refuse others a day late.
        """
        del nonce
        for name, request in requests:
            if reason := wire.impossible(request):
                return Failure("request", f"request {name!r}: {reason}", attempts=0)
        body = {"requests": [{"custom_id": name, "params": self._params(r)} for name, r in requests]}
        got = await self.calls.post_once(_PATH, body)
        if isinstance(got, Failure):
            return got
        batch = parse_batch(got.body)
        return replace(batch, doubtful=1) if isinstance(batch, Failure) else batch.id

    async def find(self, nonce: str, ids: Seq[str], since: float) -> str | Failure | None:
        """Return the batch made since that holds these requests; see `BatchModel.find`.

        Which requests a batch holds shows in its results alone, so one of this
        size that is still worked on leaves the question open.
        """
        del nonce
        after, going_on = "", ""
        for _ in range(_MOST_PAGES):
            got = await self.calls.get(f"{_PATH}?limit=100{after}")
            page = got if isinstance(got, Failure) else parse_page(got.body)
            if isinstance(page, Failure):
                return page
            recent = [b for b in page.data if b.created_at.timestamp() >= since - _CLOCKS_APART_S]
            for batch in recent:
                if batch.total != len(ids):
                    continue
                if not batch.ended:
                    going_on = batch.id
                    continue
                held = await self._results(batch)
                if isinstance(held, Failure):
                    return held
                if not held.keys().isdisjoint(ids):
                    return batch.id
            if not page.has_more or len(recent) < len(page.data):  # the newest come first
                break
            after = f"&after_id={page.data[-1].id}"
        if going_on:
            return Failure(
                "timeout", f"batch {going_on} has as many requests; whose it is shows when it has ended"
            )
        return None

    async def collect(self, batch: str, ids: Seq[str]) -> BatchState | dict[str, Reply | Failure] | Failure:
        """Return the outcome of each of these requests, or how the batch stands; see `BatchModel.collect`.

        The results are fetched from the address that this model has, wherever
        `results_url` points to.
        """
        got = await self.calls.get(f"{_PATH}/{batch}")
        state = got if isinstance(got, Failure) else parse_batch(got.body)
        if isinstance(state, Failure):
            return state
        if not state.ended:
            return BatchState(state.processing_status, state.done, state.total)
        found = await self._results(state)
        if isinstance(found, Failure):
            return found
        missing = Failure("truncated", "the batch ended without a result for this request", doubtful=1)
        return {key: found.get(key, missing) for key in ids}

    async def _results(self, batch: Batch) -> dict[str, Reply | Failure] | Failure:
        if batch.results_url is None:
            return Failure("request", f"batch {batch.id!r} has ended and its results are no longer kept")
        got = await self.calls.get(f"{_PATH}/{batch.id}/results")
        return got if isinstance(got, Failure) else parse_results(got.body)

    def _params(self, request: Request) -> Json:
        calls = self.calls
        manner = calls.settled or calls.manners[0]
        return wire.call(request, calls.model, manner, limit=request.text_tokens)[1]
