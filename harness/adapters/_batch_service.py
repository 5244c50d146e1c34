"""How services with batches of OpenAI's shape differ: addresses, fields and limits, as data.

Written from the official packages (openai 3.54.0, mistralai 3.7.0, together
3.1.1) and the services' own documentation; none of them has been asked.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from harness.adapters._transport import Json, Upload

NONCE = "icl_harness"  # the key of our own name of a batch in its metadata


@dataclass(frozen=True, slots=True)
class BatchService:
    """What is said besides the requests themselves; OpenAI's words unless told otherwise."""

    most_requests: int = 50_000
    most_bytes: int = 200_000_000  # of the file that holds the requests
    jobs: str = "/batches"
    pages: Literal["after", "number", "none"] = "after"  # how a list of batches goes on
    upload: str = "/files"
    purpose: str = "batch"
    named: bool = False  # the form of an upload repeats the file's name and type
    routed: bool = True  # every line repeats the method and the path
    inputs: Literal["input_file_id", "input_files"] = "input_file_id"
    window: tuple[str, str | int] = ("completion_window", "24h")
    model: bool = False  # the model is named for the whole batch too
    metadata: bool = True  # a batch carries words of our own; without, its input file's name does
    paths: tuple[str, ...] = ()  # what can be asked in a batch, () for everything

    def job(self, file: str, path: str, model: str, nonce: str) -> Json:
        """Return the JSON that makes a batch of an uploaded file."""
        body: dict[str, object] = {
            self.inputs: [file] if self.inputs == "input_files" else file,
            "endpoint": endpoint(path),
            self.window[0]: self.window[1],
        }
        if self.model:
            body["model"] = model
        return body | {"metadata": {NONCE: nonce}} if self.metadata else body

    def file(self, nonce: str, content: bytes) -> Upload:
        """Return the upload of the file that holds a batch's requests, named after the batch."""
        fields = [("purpose", self.purpose)]
        if self.named:
            fields += [("file_name", file_name(nonce)), ("file_type", "jsonl")]
        return Upload(file_name(nonce), content, tuple(fields))

    def page(self, number: int, last_id: str | None) -> str:
        """Return the path of one page of the list of batches; page 0 is the first and newest."""
        if self.pages == "none":
            return self.jobs
        if self.pages == "number":
            return f"{self.jobs}?page={number}&page_size=100"
        return f"{self.jobs}?limit=100" + (f"&after={quote(last_id, safe='')}" if last_id else "")


def endpoint(path: str) -> str:
    """Return the path as batches name it, under /v1 whatever the base URL."""
    return f"/v1{path}"


def file_name(nonce: str) -> str:
    """Return the name of the file that holds a batch's requests."""
    return f"{nonce}.jsonl"


OPENAI = BatchService()
# docs.mistral.ai: "Maximum requests per batch: 100,000" and 512 MB, under known limitations; its page on batches
# speaks of a million. Lines hold custom_id and body only. Jobs are listed newest first.
MISTRAL = BatchService(
    most_requests=100_000,
    most_bytes=512_000_000,
    jobs="/batch/jobs",
    pages="number",
    routed=False,
    inputs="input_files",
    window=("timeout_hours", 24),
    model=True,
)
# docs.together.ai: 50,000 requests and 100 MB; the package has no metadata and answers a list without pages.
TOGETHER = BatchService(
    most_bytes=100_000_000,
    pages="none",
    upload="/files/upload",
    purpose="batch-api",
    named=True,
    routed=False,
    metadata=False,
    paths=("/chat/completions",),
)
