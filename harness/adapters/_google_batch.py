"""Google's batches of generateContent: the same requests worked on within a day, at half the price."""

import json
from collections.abc import Sequence as Seq
from dataclasses import replace

from harness.adapters import _google_wire as wire
from harness.adapters._google_results import parse_batch, parse_page
from harness.adapters._service_model import ServiceModel
from harness.adapters._transport import Json
from harness.types import BatchState, Failure, Reply, Request

_LIST = f"/{wire.VERSION}/batches"
_MOST_PAGES = 100  # of 100 batches each
_MOST_BYTES = (
    20_000_000  # of requests that are sent along instead of in a file, by the service's documentation
)


class GoogleModel(ServiceModel):
    """A model that is asked at once or in batches."""

    batch_limit = 1000  # fewer where they are long: more bytes than one batch takes are an "overflow"

    async def submit(self, requests: Seq[tuple[str, Request]], nonce: str) -> str | Failure:
        """Hand in requests, once; see `BatchModel.submit`. The nonce is the batch's display name.

        Optional fields are those that a direct call was answered with.
        """
        for name, request in requests:
            if reason := wire.impossible(request):
                return Failure("request", f"request {name!r}: {reason}", attempts=0)
        items = [{"request": self._content(r), "metadata": {"key": name}} for name, r in requests]
        body = {"batch": {"displayName": nonce, "inputConfig": {"requests": {"requests": items}}}}
        size = len(json.dumps(body))
        if size > _MOST_BYTES:
            return Failure(
                "overflow", f"a batch of {size} bytes, at most {_MOST_BYTES}: hand in fewer", attempts=0
            )
        got = await self.calls.post_once(f"{wire.about(self.calls.model)}:batchGenerateContent", body)
        if isinstance(got, Failure):
            return got
        batch = parse_batch(got.body)
        return replace(batch, doubtful=1) if isinstance(batch, Failure) else batch.name

    async def find(self, nonce: str, ids: Seq[str], since: float) -> str | Failure | None:
        """Return the batch with this display name; see `BatchModel.find`."""
        del ids, since  # the name is enough, and the list is in no promised order
        token = ""
        for _ in range(_MOST_PAGES):
            got = await self.calls.get(f"{_LIST}?pageSize=100{token}")
            page = got if isinstance(got, Failure) else parse_page(got.body)
            if isinstance(page, Failure):
                return page
            for batch in page.operations:
                if batch.metadata.display_name == nonce:
                    return batch.name
            if not page.next_page_token:
                return None
            token = f"&pageToken={page.next_page_token}"
        return Failure("server", "more batches than could be looked through")

    async def collect(self, batch: str, ids: Seq[str]) -> BatchState | dict[str, Reply | Failure] | Failure:
        """Return the outcome of each of these requests, or how the batch stands; see `BatchModel.collect`."""
        got = await self.calls.get(f"/{wire.VERSION}/{batch}")
        state = got if isinstance(got, Failure) else parse_batch(got.body)
        if isinstance(state, Failure):
            return state
        return state.outcomes(ids) if state.ended else state.state(len(ids))

    def _content(self, request: Request) -> Json:
        calls = self.calls
        manner = calls.settled or calls.manners[0]
        return wire.call(request, calls.model, manner, limit=request.text_tokens)[1]
