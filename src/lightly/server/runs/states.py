"""Which state of a run may follow which.

The states of work come in the order of the contract's list. A worker may leave some out, never go
back; a later attempt of the same run begins anew, and only the server starts one. Source: wire
contract, semantics section 14.
"""

from __future__ import annotations

from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.server.errors import RunStateRefused

#: Nothing happens to a run any more in one of these.
END_STATES = frozenset(
    {
        DockerRunState.COMPLETED,
        DockerRunState.FAILED,
        DockerRunState.CRASHED,
        DockerRunState.ABORTED,
    }
)
_ORDER = {state: number for number, state in enumerate(DockerRunState)}


def is_end(state: str) -> bool:
    """Tell whether a run in this state is over.

    >>> is_end("ABORTED"), is_end("SAMPLING")
    (True, False)
    """
    return DockerRunState(state) in END_STATES


def check_transition(before: str, after: str) -> None:
    """Raise unless a run may go from one state to the other; staying is always allowed.

    Raises:
        RunStateRefused: If the run is over, or would go back.
    """
    old, new = DockerRunState(before), DockerRunState(after)
    if old is new:
        return
    if old in END_STATES:
        raise RunStateRefused(
            f"The run has ended as {old.value}: it cannot become {new.value}. Schedule it again."
        )
    if new not in END_STATES and _ORDER[new] < _ORDER[old]:
        raise RunStateRefused(
            f"The run is in {old.value} and cannot go back to {new.value}: the states of a run "
            "follow their order in the contract."
        )
