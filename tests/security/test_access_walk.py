"""Nobody reaches what is somebody else's, nor a child through a foreign parent: T02, T03.

The cases come from the application's own routes. A route or a parameter that nobody has thought
about fails these tests until it is listed here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from lightly._kit.ids import make_id
from tests.support.contents import read_contents, record_statements
from tests.support.parameters import Parameter, list_parameters
from tests.support.population import FilledDataset, Population, fill_dataset
from tests.support.routes import list_routes
from tests.support.valid_requests import ValidRequest, make_valid_request

ROUTES = sorted(set(list_routes()))
GET_ROUTES = [route for route in ROUTES if route[0] == "GET"]

#: What names an object, by its last name, and which object of a dataset that is.
IDS: dict[str, Callable[[FilledDataset], str]] = {
    "datasetId": lambda dataset: dataset.id,
    "parentDatasetId": lambda dataset: dataset.id,
    "sampleId": lambda dataset: dataset.sample_ids[0],
    "sampleIds": lambda dataset: dataset.sample_ids[0],
    "id": lambda dataset: dataset.sample_ids[0],
    "tagId": lambda dataset: dataset.leaf_tag_id,
    "prevTagId": lambda dataset: dataset.initial_tag_id,
    "queryTagId": lambda dataset: dataset.child_tag_id,
    "preselectedTagId": lambda dataset: dataset.leaf_tag_id,
    "tagId1": lambda dataset: dataset.initial_tag_id,
    "tagId2": lambda dataset: dataset.child_tag_id,
    "scoreId": lambda dataset: dataset.score_id,
    "embeddingId": lambda dataset: dataset.embedding_id,
    "embedding2dId": lambda dataset: dataset.embedding2d_id,
    "configurationId": lambda dataset: dataset.configuration_id,
    "jobId": lambda dataset: dataset.job_id,
    "workerId": lambda dataset: dataset.worker_id,
    "configId": lambda dataset: dataset.config_ids["V4"],
    "accessConfigId": lambda dataset: dataset.access_config_id,
    "teamId": lambda dataset: dataset.team_id,
    "userId": lambda dataset: dataset.member_id,
    "forUserId": lambda dataset: dataset.owner_id,
    "serviceAccountId": lambda dataset: dataset.service_account_id,
    "runId": lambda dataset: dataset.run_id,
    "checkpointRunId": lambda dataset: dataset.run_id,
    "scheduledId": lambda dataset: dataset.run_scheduled_id,
    "artifactId": lambda dataset: dataset.artifact_id,
    "sessionId": lambda dataset: dataset.session_id,
    "neighborhoodId": lambda dataset: dataset.neighborhood_id,
    "tokenId": lambda dataset: dataset.token_id,
    "relevantFilenamesRunId": lambda dataset: dataset.run_id,
    "relevantFilenamesArtifactId": lambda dataset: dataset.artifact_id,
    "datasourceId": lambda dataset: dataset.datasource_id,
    "key": lambda dataset: dataset.image_key,
    "publicToken": lambda dataset: dataset.public_token,
    "viewId": lambda dataset: dataset.view_id,
}
#: Objects that lie in no dataset: another dataset of the same user is no wrong place for them.
TOP_LEVEL = {
    "configId",
    "datasetId",
    "forUserId",
    "parentDatasetId",
    "jobId",
    "checkpointRunId",
    "runId",
    "teamId",
    "tokenId",
    "workerId",
}
#: Objects one level further down: what hangs on another tag or embedding of the same dataset.
COUSINS: dict[str, Callable[[FilledDataset], str]] = {
    "relevantFilenamesArtifactId": lambda dataset: dataset.other_artifact_id,
    "artifactId": lambda dataset: dataset.other_artifact_id,
    "scoreId": lambda dataset: dataset.child_score_id,
    "embedding2dId": lambda dataset: dataset.other_embedding2d_id,
}
#: Ids that are kept as text and never followed: there is nothing to be reached through them.
NEVER_FOLLOWED = {
    "parentId",
    "cropDatasetId",
    "cropSampleId",
    # What a provider calls its own things.
    "gcsProjectId",
    "obsAccessKeyId",
    "s3AccessKeyId",
    "s3ExternalId",
}
#: Likewise, where other parameters of this last name are followed.
NEVER_FOLLOWED_NAMES = {"changes.initial.runId", "changes.upsize.runId"}
#: What old clients say about themselves on this route is counted, never looked up.
USAGE = "/v1/docker"
#: Clients send back the id that they were shown; which datasource is meant, its purpose says.
DATASOURCE = "/v1/datasets/{datasetId}/datasource"
TEXT_PARAMETERS = {(USAGE, "runId"), ("/users/docker", "runId"), (DATASOURCE, "id")}
#: What a parameter names where its own last name stands for something else.
MEANINGS = {("/v1/datasets/{datasetId}/setMetaDataConfiguration", "id"): "configurationId"}
#: Objects below which others lie, the outermost first.
PARENTS = ("datasetId", "teamId", "runId", "workerId")
#: Ids of datasets that a list is about: those of somebody else are left out of it.
FILTERS = {"datasetIds"}
#: What names no object.
PLAIN = {
    "Last-Event-ID", "before", "maxSeconds", "runs", "workers",
    "direction", "metadataKey", "revision", "sortKey",
    "accessControl", "after", "categoryId", "columnName", "currentVersion", "cursor", "datasetName",
    "disableConfigValidation", "dncShards", "enableDatasetUpdate", "from", "path", "purpose",
    "relevantFilenamesFileName", "to", "useRedirectedReadUrl", "includeUnlockableRuns", "labels",
    "showArchived", "state", "states", "version", "withExpiry",
    "exact", "excludePlayground", "expires", "expiresIn", "field", "fileName", "fileNameFormat",
    "force", "format", "getAssetsOfTeam", "getAssetsOfTeamInclusiveSelf", "includeMetaData",
    "isThumbnail", "kind", "lean", "limit", "method", "minScore", "mode", "name", "offset",
    "pageOffset",
    "pageSize",
    "predictionTaskCategoryId", "predictionUUIDTimestamp", "previewExample", "shared", "signature",
    "sortBy", "taskName", "type", "word",
}  # fmt: skip

#: The answer to an id that is not one of the dataset, by its last name.
REFUSALS = {
    "datasetId": (404, "DATASET_UNKNOWN"),
    "parentDatasetId": (404, "DATASET_UNKNOWN"),
    "sampleId": (404, "SAMPLE_UNKNOWN"),
    "sampleIds": (404, "SAMPLE_UNKNOWN"),
    "id": (404, "SAMPLE_UNKNOWN"),
    "tagId": (404, "TAG_UNKNOWN"),
    "tagId1": (404, "TAG_UNKNOWN"),
    "tagId2": (404, "TAG_UNKNOWN"),
    "prevTagId": (400, "TAG_PREVTAG_NOT_IN_DATASET"),
    "queryTagId": (400, "TAG_QUERYTAG_NOT_IN_DATASET"),
    "preselectedTagId": (400, "TAG_PRESELECTEDTAG_NOT_IN_DATASET"),
    "scoreId": (404, "SCORE_UNKNOWN"),
    "embeddingId": (404, "EMBEDDING_UNKNOWN"),
    "embedding2dId": (404, "EMBEDDING_2D_UNKNOWN"),
    "configurationId": (404, "METADATA_CONFIGURATION_UNKNOWN"),
    "jobId": (404, "JOB_UNKNOWN"),
    "workerId": (404, "DOCKER_WORKER_UNKNOWN"),
    "configId": (404, "DOCKER_WORKER_CONFIG_UNKNOWN"),
    "accessConfigId": (404, "ACCESS_CONTROL_UNKNOWN"),
    "teamId": (404, "TEAM_UNKNOWN"),
    "userId": (404, "NOT_FOUND"),
    "forUserId": (403, "FORBIDDEN"),
    "serviceAccountId": (404, "NOT_FOUND"),
    "runId": (404, "DOCKER_RUN_UNKNOWN"),
    "checkpointRunId": (404, "DOCKER_RUN_UNKNOWN"),
    "scheduledId": (404, "DOCKER_WORKER_SCHEDULE_UNKNOWN"),
    "artifactId": (404, "DOCKER_RUN_ARTIFACT_UNKNOWN"),
    "relevantFilenamesRunId": (404, "DOCKER_RUN_UNKNOWN"),
    "relevantFilenamesArtifactId": (404, "DOCKER_RUN_ARTIFACT_UNKNOWN"),
    "datasourceId": (403, "FORBIDDEN"),
    "sessionId": (409, "CONFLICT"),
    "neighborhoodId": (404, "NOT_FOUND"),
    "viewId": (404, "NOT_FOUND"),
    "tokenId": (404, "NOT_FOUND"),
    # Signed URLs and public tokens are for one object or dataset, whoever asks.
    "key": (403, "FORBIDDEN"),
    "publicToken": (401, "UNAUTHORIZED"),
}
#: A public token is looked at before the dataset that it is for.
REDIRECTS = {
    "/v1/datasets/{datasetId}/samples/{sampleId}/readurlRedirect",
    "/v1/datasets/{datasetId}/datasource/readurlRedirect",
}
#: Refused to the owner too, who has no such thing or has it already.
REFUSED_TO_THE_OWNER = {
    ("POST", "/v1/datasets/{datasetId}/tags/initial"): (409, "TAG_INITIAL_EXISTS"),
    ("POST", "/users/datasets/{datasetId}/tags"): (409, "TAG_INITIAL_EXISTS"),
    ("POST", "/users/datasets/{datasetId}/tags/"): (409, "TAG_INITIAL_EXISTS"),
    ("GET", "/ext/v1/runs/{runId}/report"): (404, "DOCKER_RUN_REPORT_UNAVAILABLE"),
    # Based on a version that the tag never had; `tests/contract/test_tag_changes.py` changes one.
    ("PUT", "/ext/v1/datasets/{datasetId}/tags/{tagId}"): (409, "CONFLICT"),
    # For administrators; `tests/integration/test_metrics.py` reads them.
    ("GET", "/metrics"): (403, "FORBIDDEN"),
}


def name_route(route: tuple[str, str]) -> str:
    return " ".join(route)


def is_never_followed(route: tuple[str, str], parameter: Parameter) -> bool:
    """Tell whether a parameter is kept as text."""
    return (
        parameter.leaf in NEVER_FOLLOWED
        or parameter.name in NEVER_FOLLOWED_NAMES
        or (route[1].rstrip("/"), parameter.name) in TEXT_PARAMETERS
    )


def list_id_parameters(method: str, path: str) -> list[tuple[str, str, str]]:
    """Return place, name and last name of every parameter that the server follows to an object."""
    return [
        (
            parameter.place,
            parameter.name,
            MEANINGS.get((path, parameter.name), parameter.leaf),
        )
        for parameter in list_parameters(method, path)
        if (parameter.place != "body" or parameter.looks_like_id)
        and parameter.leaf in IDS
        and not is_never_followed((method, path), parameter)
        # A list of ids is walked through its items.
        and parameter.schema.get("type") != "array"
    ]


def list_children(method: str, path: str) -> list[str]:
    """Return the last names of the ids that lie below a dataset, or another object of the route."""
    if find_parent(method, path) is None:
        return []
    return [leaf for _, _, leaf in list_id_parameters(method, path) if leaf not in TOP_LEVEL]


def find_parent(method: str, path: str) -> tuple[str, str, str] | None:
    """Return place, name and last name of the outermost object of a route."""
    found = {leaf: (place, name, leaf) for place, name, leaf in list_id_parameters(method, path)}
    return next((found[leaf] for leaf in PARENTS if leaf in found), None)


ROUTES_WITH_IDS = [route for route in ROUTES if list_id_parameters(*route)]
#: Whoever holds a signed URL or a public token may use it; all other routes look at the caller.
PERSONAL_ROUTES = [
    route
    for route in ROUTES_WITH_IDS
    if route[1] not in REDIRECTS and not route[1].startswith(("/blobs/", "/files/"))
]
NESTED_ROUTES = [route for route in PERSONAL_ROUTES if list_children(*route)]
DEEP_ROUTES = [route for route in NESTED_ROUTES if COUSINS.keys() & set(list_children(*route))]


def expect_refusal(path: str, leaf: str) -> tuple[int, str]:
    if path in REDIRECTS and leaf == "datasetId":
        return REFUSALS["publicToken"]
    if leaf == "scheduledId" and path.startswith("/v1/docker/runs/"):
        return REFUSALS["runId"]
    return REFUSALS[leaf]


def describe(response: Any, *values: str) -> tuple[Any, ...]:
    """Return an answer without what differs from request to request."""
    text = response.text
    for value in values:
        text = text.replace(value, "<id>")
    headers = {
        name: value
        for name, value in response.headers.items()
        if name.lower() not in {"x-request-id", "content-length"}
    }
    request_id = response.headers["X-Request-Id"]
    return response.status_code, headers, text.replace(request_id, "<request>")


def make_random(leaf: str, like: str) -> str:
    """Return a value of the right form that names nothing."""
    if leaf == "publicToken":
        return f"{make_id()}-0-{'0' * 64}"
    if leaf == "key":
        return like.replace(like.split("/")[1], make_id())
    return make_id()


def refuse_like_random(
    population: Population, request: ValidRequest, place: str, name: str, leaf: str, value: str
) -> tuple[int, str]:
    """Check that an id is refused just as one of nothing, with the same queries; return how."""
    random_value = make_random(leaf, value)
    results = []
    for tried in (random_value, value):
        with record_statements(population.server.platform) as statements:
            response = request.with_value(place, name, tried).send(population.bob.client)
        results.append((describe(response, tried), statements))
    assert results[0] == results[1], name
    return response.status_code, response.json()["code"] if response.text else ""


@pytest.mark.parametrize("route", ROUTES, ids=name_route)
def test_every_parameter_is_known_to_these_tests(route):
    for parameter in list_parameters(*route):
        if parameter.place != "body" or parameter.looks_like_id:
            assert parameter.leaf in IDS.keys() | NEVER_FOLLOWED | FILTERS | PLAIN, parameter.name


@pytest.mark.parametrize("route", ROUTES, ids=name_route)
def test_the_valid_request_carries_every_id_that_the_route_takes(route, sqlite_population):
    request = make_valid_request(*route, sqlite_population.bob.first)

    for parameter in list_parameters(*route):
        if parameter.leaf in IDS and parameter.looks_like_id:
            assert request.with_value(parameter.place, parameter.name, "changed") != request


@pytest.mark.parametrize("route", ROUTES, ids=name_route)
def test_the_owner_gets_what_others_are_refused(route, sqlite_population):
    bob = sqlite_population.bob
    dataset = fill_dataset(sqlite_population.server, bob.client, bob.user, f"bob {make_id()}")

    response = make_valid_request(*route, dataset).send(bob.client)

    if route in REFUSED_TO_THE_OWNER:
        assert (response.status_code, response.json()["code"]) == REFUSED_TO_THE_OWNER[route]
    else:
        assert response.status_code < 400, response.text


@pytest.mark.parametrize("route", ROUTES_WITH_IDS, ids=name_route)
def test_ids_of_somebody_else_are_refused_like_ids_of_nothing(route, population):
    request = make_valid_request(*route, population.bob.first)
    before = read_contents(population.server.platform)

    for place, name, leaf in list_id_parameters(*route):
        value = IDS[leaf](population.alice.first)
        refusal = refuse_like_random(population, request, place, name, leaf, value)

        assert refusal == expect_refusal(route[1], leaf) or (route[0], refusal[0]) == ("HEAD", 403)
    assert read_contents(population.server.platform) == before


@pytest.mark.parametrize("route", PERSONAL_ROUTES, ids=name_route)
def test_the_owners_own_request_is_refused_to_somebody_else(route, population):
    request = make_valid_request(*route, population.alice.first)
    ids = list_id_parameters(*route)
    before = read_contents(population.server.platform)

    response = request.send(population.bob.client)

    expected = {expect_refusal(route[1], leaf) for _, _, leaf in ids}
    assert (response.status_code, response.json()["code"]) in expected
    assert "alice" not in response.text
    assert read_contents(population.server.platform) == before


@pytest.mark.parametrize("route", NESTED_ROUTES, ids=name_route)
def test_children_of_another_dataset_of_the_same_user_are_refused(route, population):
    request = make_valid_request(*route, population.bob.first)
    before = read_contents(population.server.platform)

    for place, name, leaf in list_id_parameters(*route):
        if leaf not in TOP_LEVEL:
            value = IDS[leaf](population.bob.second)
            refusal = refuse_like_random(population, request, place, name, leaf, value)

            assert refusal == REFUSALS[leaf] or (route[0], refusal[0]) == ("HEAD", 403)
    assert read_contents(population.server.platform) == before


@pytest.mark.parametrize("route", NESTED_ROUTES, ids=name_route)
def test_children_are_refused_below_another_dataset_of_the_same_user(route, population):
    request = make_valid_request(*route, population.bob.first)
    children = list_children(*route)
    parent = find_parent(*route)
    assert parent is not None
    place, name, leaf = parent
    before = read_contents(population.server.platform)

    response = request.with_value(place, name, IDS[leaf](population.bob.second)).send(
        population.bob.client
    )

    expected = {expect_refusal(route[1], leaf) for leaf in children}
    assert (response.status_code, response.json()["code"]) in expected
    assert read_contents(population.server.platform) == before


@pytest.mark.parametrize("route", DEEP_ROUTES, ids=name_route)
def test_children_of_another_parent_in_the_same_dataset_are_refused(route, population):
    request = make_valid_request(*route, population.bob.first)
    before = read_contents(population.server.platform)

    for place, name, leaf in list_id_parameters(*route):
        if leaf in COUSINS:
            value = COUSINS[leaf](population.bob.first)
            refusal = refuse_like_random(population, request, place, name, leaf, value)

            assert refusal == REFUSALS[leaf]
    assert read_contents(population.server.platform) == before


@pytest.mark.parametrize(
    ("route", "parameter"),
    [
        pytest.param(route, parameter, id=f"{name_route(route)} {parameter.name}")
        for route in ROUTES
        for parameter in list_parameters(*route)
        if is_never_followed(route, parameter)
    ],
)
def test_ids_that_are_kept_as_text_are_not_followed(route, parameter, sqlite_population):
    bob, alice = sqlite_population.bob, sqlite_population.alice
    answers = []
    for value in (make_id(), alice.first.sample_ids[0]):
        dataset = fill_dataset(sqlite_population.server, bob.client, bob.user, f"bob {make_id()}")
        request = make_valid_request(*route, dataset)
        with record_statements(sqlite_population.server.platform) as statements:
            response = request.with_value("body", parameter.name, value).send(bob.client)
        answers.append((response.status_code, sorted(response.json() if response.text else ())))
        answers.append(statements)

    assert answers[:2] == answers[2:]


@pytest.mark.parametrize("route", GET_ROUTES, ids=name_route)
def test_answers_show_nothing_of_somebody_else(route, population):
    alice = population.alice

    for own in (population.bob.first, population.bob.second):
        response = make_valid_request(*route, own).send(population.bob.client)

        shown = response.text + str(response.headers)
        assert "alice" not in shown
        for foreign_id in [alice.user.id, *alice.first.list_ids(), *alice.second.list_ids()]:
            assert foreign_id not in shown


@pytest.mark.parametrize("route", GET_ROUTES, ids=name_route)
def test_nobody_is_somebody_else_by_saying_so(route, population):
    request = make_valid_request(*route, population.bob.first)
    for name in ("userId", "owner", "user", "email", "forUserId", "caller"):
        request = request.with_value("query", name, population.alice.user.id)

    assert "alice" not in request.send(population.bob.client).text


def test_the_name_of_a_foreign_sample_is_refused_like_that_of_none(population):
    dataset, foreign = population.bob.first, population.alice.first
    route = ("PUT", "/ext/v1/datasets/{datasetId}/samples/customMetadata")
    before = read_contents(population.server.platform)

    answers = []
    for file_name in ("nothing.jpg", foreign.file_names[0]):
        request = make_valid_request(*route, dataset)
        body = {"items": [{"fileName": file_name, "customMetaData": {}}]}
        response = dataclasses.replace(request, body=body).send(population.bob.client)
        answers.append(describe(response, file_name))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert read_contents(population.server.platform) == before


def test_the_name_of_a_foreign_dataset_finds_nothing_and_is_free(population):
    bob, alice = population.bob, population.alice

    found = bob.client.get(f"/v1/datasets/query/name/{alice.first.name}?exact=True")
    made = bob.client.post("/v1/datasets", json={"name": alice.first.name})

    assert (found.status_code, found.json()) == (200, [])
    assert made.status_code == 201
    assert bob.client.delete(f"/v1/datasets/{made.json()['id']}").status_code == 204


def test_the_server_is_full_enough_for_the_walk_to_mean_something(population):
    contents = read_contents(population.server.platform)

    empty = sorted(name for name, rows in contents.items() if not rows)
    assert empty == []
