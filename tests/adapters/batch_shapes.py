"""How OpenAI, Mistral and Together describe a batch, written from their packages' types."""

from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["openai", "mistral", "together"]
ENDS = {"completed": 2, "failed": 3, "expired": 4, "cancelled": 5}  # places in the words below
FAILED = ENDS["failed"]
_WORDS = {
    "openai": ("validating", "in_progress", "completed", "failed", "expired", "cancelled"),
    "mistral": ("QUEUED", "RUNNING", "SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED"),
    "together": ("VALIDATING", "IN_PROGRESS", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"),
}
_MADE = 1_760_000_000


@dataclass
class Job:
    """One batch as the stub keeps it."""

    id: str
    request: dict[str, Any]  # what made it
    lines: list[dict[str, Any]]
    end: int  # place of the status it ends in
    polls: int = 0
    output: str | None = None
    rejects: str | None = None
    counted: tuple[int, int] = (0, 0)  # answered, failed

    def ended(self, polls: int) -> bool:
        """Return whether it has been looked at often enough."""
        return self.polls > polls

    def place(self, polls: int) -> int:
        """Return the place of its status among the words."""
        return self.end if self.ended(polls) else min(self.polls, 1)


def describe(dialect: Dialect, job: Job, place: int, complaint: tuple[str, str] | None) -> dict[str, Any]:
    """Return the JSON of a batch."""
    shared = {"id": job.id, "endpoint": job.request["endpoint"], "status": _WORDS[dialect][place]}
    code, message = complaint or ("", "")
    answered, failed = job.counted
    if dialect == "openai":
        errors = {"object": "list", "data": [{"code": code, "message": message, "line": None, "param": None}]}
        return shared | {
            "object": "batch",
            "input_file_id": job.request["input_file_id"],
            "completion_window": "24h",
            "created_at": _MADE,
            "metadata": job.request.get("metadata"),
            "output_file_id": job.output,
            "error_file_id": job.rejects,
            "errors": errors if complaint else None,
            "request_counts": {"total": len(job.lines), "completed": answered, "failed": failed},
        }
    if dialect == "mistral":
        return shared | {
            "object": "batch",
            "input_files": job.request["input_files"],
            "metadata": job.request.get("metadata"),
            "model": job.request["model"],
            "created_at": _MADE,
            "output_file": job.output,
            "error_file": job.rejects,
            "errors": [{"message": message, "count": 1}] if complaint else [],
            "total_requests": len(job.lines),
            "completed_requests": answered + failed,
            "succeeded_requests": answered,
            "failed_requests": failed,
        }
    return shared | {
        "input_file_id": job.request["input_file_id"],
        "created_at": "2026-10-10T00:00:00Z",
        "output_file_id": job.output,
        "error_file_id": job.rejects,
        "progress": 0.0 if place < min(ENDS.values()) else 100.0,
        "error": f"{code} {message}" if complaint else None,
    }


def stored_file(key: str, name: str, content: bytes) -> dict[str, Any]:
    """Return the JSON of an uploaded file."""
    size = len(content)
    words = {"object": "file", "filename": name, "purpose": "batch", "status": "processed"}
    return {"id": key, "bytes": size, "created_at": _MADE} | words
