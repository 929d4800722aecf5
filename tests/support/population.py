"""A server full of things that belong to two users, for tests of who may reach what.

Everything of a user carries the user's name, so that a trace of it in somebody else's answer shows.
Embeddings and jobs are written into the database directly: the background work that would make
them takes seconds and would change the database while a test looks at it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import orjson
import sqlalchemy as sa
from starlette.testclient import TestClient

from lightly._kit.ids import make_id
from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.embedding.concepts import load_vocabulary
from lightly.server.auth.quotas import set_max_dataset_size
from lightly.server.auth.repository import find_user_by_email
from lightly.server.auth.users import User
from lightly.server.auth.web_sessions import begin_session
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.db.tables import jobs
from lightly.server.embeddings import repository as embeddings_repository
from lightly.server.embeddings.coordinates import pack_coordinates
from lightly.server.embeddings.models import (
    Embedding,
    EmbeddingState,
    Projection,
    make_csv_key,
    make_vectors_key,
)
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.repository import fail_job
from lightly.server.jobs.service import CANCELLED
from lightly.server.neighborhoods.models import Neighborhood, NeighborhoodKind, pack_values
from lightly.server.neighborhoods.repository import put_neighborhood
from lightly.server.platform import PlatformState
from lightly.server.samples.public_tokens import PublicTokenSigner, make_public_token
from lightly.server.selections.columns import pack_columns
from lightly.server.selections.models import ColumnInfo, ReportContent, StoredReport
from lightly.server.selections.repository import insert_report
from lightly.server.teams import administration
from tests.support.filled_runs import add_runs
from tests.support.platforms import InProcessServer

N_SAMPLES = 6
#: Of a file in the datasource of every dataset.
FILE_NAME = ".lightly/predictions/task/file.json"
_INITIAL_MASK, _CHILD_MASK, _LEAF_MASK = "0x3f", "0x1f", "0x7"
_N_CHILD_SAMPLES, _N_LEAF_SAMPLES = 5, 3
_WORKERS = "/v1/docker/worker"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_CREATED_AT_MS = 1_700_000_000_000


@dataclass(frozen=True)
class FilledDataset:
    """Ids of a dataset that has some of everything.

    Attributes:
        id: The dataset.
        owner_id: The user who owns it.
        name: Its name.
        sample_ids: Its samples in order; the first has image and thumbnail stored.
        file_names: Their names.
        initial_tag_id: The tag over all samples.
        child_tag_id: Some of those.
        leaf_tag_id: Some of the child's; no tag refers to it.
        score_id: Scores of the leaf.
        child_score_id: Scores of the child.
        embedding_id: An embedding that was read.
        embedding2d_id: A projection of it.
        neighborhood_id: Near-duplicates that were found in it.
        other_embedding_id: Another embedding.
        other_embedding2d_id: A projection of that one.
        task_name: A prediction task.
        prediction_score_id: Scores of that task.
        configuration_id: A metadata configuration.
        user_configuration_id: One that belongs to the user, as client 1.1 makes them.
        worker_id: A compute worker of the owner.
        config_ids: Configurations of it, by version.
        job_id: A job that has finished.
        cancelled_job_id: One that was cancelled.
        read_url: Signed, of the first sample's image.
        write_url: Signed, likewise.
        public_token: For redirects to images of the dataset.
        access_config_id: With whom it is shared: with somebody who is still to come.
        team_id: A team of the owner, who is its owner too.
        member_id: Its only other member, who is still to come.
        service_account_id: Its service account.
        scheduled_id: A scheduled run that waits.
        run_scheduled_id: The scheduled run that `run_id` carries out.
        run_id: A run that the worker works on, under a lease.
        session_id: The process of the worker.
        token_id: An API token of the owner.
        lease: The token of that lease.
        datasource_id: The datasource of its LIGHTLY side.
        file_url: Signed, of a prediction file in there.
        file_write_url: Signed, likewise.
        file_token: For the redirect to that file.
        artifact_id: What the run has made.
        other_run_id: A run without schedule, of a client of the contract.
        other_artifact_id: What that one has made.
        view_id: A saved view.
    """

    id: str
    owner_id: str
    name: str
    sample_ids: list[str]
    file_names: list[str]
    initial_tag_id: str
    child_tag_id: str
    leaf_tag_id: str
    score_id: str
    child_score_id: str
    embedding_id: str
    embedding2d_id: str
    neighborhood_id: str
    other_embedding_id: str
    other_embedding2d_id: str
    task_name: str
    prediction_score_id: str
    configuration_id: str
    user_configuration_id: str
    worker_id: str
    config_ids: dict[str, str]
    job_id: str
    cancelled_job_id: str
    read_url: str
    write_url: str
    public_token: str
    access_config_id: str
    team_id: str
    member_id: str
    service_account_id: str
    scheduled_id: str
    run_scheduled_id: str
    run_id: str
    session_id: str
    token_id: str
    lease: str
    datasource_id: str
    file_url: str
    file_write_url: str
    file_token: str
    artifact_id: str
    other_run_id: str
    other_artifact_id: str
    view_id: str

    @property
    def image_key(self) -> str:
        """Where the first sample's image is kept."""
        return urlsplit(self.read_url).path.removeprefix("/blobs/")

    def list_ids(self) -> list[str]:
        """Return the ids of the dataset and of everything in it."""
        single = [value for name, value in vars(self).items() if name.endswith("_id")]
        return [self.id, *self.sample_ids, *self.config_ids.values(), *single]


@dataclass(frozen=True)
class Person:
    """A user with two datasets.

    Attributes:
        name: In everything that is the user's.
        user: As the server knows the user.
        client: Calls as the user.
        first: One dataset.
        second: Another one.
    """

    name: str
    user: User
    client: TestClient
    first: FilledDataset
    second: FilledDataset


@dataclass(frozen=True)
class Population:
    """Two users of one server who share nothing."""

    server: InProcessServer
    alice: Person
    bob: Person


def populate(server: InProcessServer) -> Population:
    """Fill a server with two users, each with two datasets."""
    return Population(server, add_person(server, "alice"), add_person(server, "bob"))


def add_person(server: InProcessServer, name: str) -> Person:
    """Add a user with two datasets."""
    email = f"{name}@example.com"
    client = server.add_user(email)
    with server.platform.database.read() as connection:
        user = find_user_by_email(connection, email)
    assert user is not None
    set_max_dataset_size(server.platform.database, email, 1_000_000)
    _add_role(client, name)
    token = client.headers["Authorization"].removeprefix("Bearer ")
    begin_session(server.platform, user, token)
    first = fill_dataset(server, client, user, f"{name} first")
    second = fill_dataset(server, client, user, f"{name} second")
    return Person(name, user, client, first, second)


def fill_dataset(
    server: InProcessServer, client: TestClient, user: User, name: str
) -> FilledDataset:
    """Make a dataset with some of everything.

    Args:
        server: Where.
        client: Calls as `user`.
        user: The owner.
        name: Of the dataset, and the beginning of all other names in it.
    """
    dataset_id = _create(client, "/v1/datasets", {"name": name})
    url = f"/v1/datasets/{dataset_id}"
    file_names = [f"{name}/{number}.jpg" for number in range(N_SAMPLES)]
    samples = [
        {"fileName": file_name, "customMetaData": {"owner": name}} for file_name in file_names
    ]
    registered = client.post(f"/ext{url}/samples/bulk", json={"samples": samples})
    sample_ids: list[str] = registered.json()["ids"]
    write_urls = _upload_image(client, f"{url}/samples/{sample_ids[0]}", name)
    tag_ids = _add_tags(client, url, name)
    entry = {
        "name": name,
        "path": "owner",
        "defaultValue": name,
        "valueDataType": "CATEGORICAL_STRING",
    }
    configuration = {"name": name, "configs": [entry]}
    embeddings = [
        _add_embedding(server.platform, user, dataset_id, embedding_name, file_names)
        for embedding_name in (name, f"{name} other")
    ]
    stranger = f"{name.replace(' ', '.')}@example.com"
    team = _add_team(server.platform, user, client, name, stranger)
    worker_id = _create(client, _WORKERS, {"name": name, "workerType": "FULL", "labels": [name]})
    config_ids = _add_worker_configs(client, name)
    runs = add_runs(server.platform, client, dataset_id, worker_id, config_ids["V4"], name)
    _add_automatic_tags(client, url, sample_ids[-1])
    sharing = {"accessType": "WRITE", "users": [stranger], "teams": [team.id]}
    client.put(f"/ext/v1/account/favourites/{dataset_id}")
    return FilledDataset(
        id=dataset_id,
        owner_id=user.id,
        name=name,
        sample_ids=sample_ids,
        file_names=file_names,
        initial_tag_id=tag_ids[0],
        child_tag_id=tag_ids[1],
        leaf_tag_id=tag_ids[2],
        score_id=_add_scores(client, f"{url}/tags/{tag_ids[2]}", name, _N_LEAF_SAMPLES),
        child_score_id=_add_scores(client, f"{url}/tags/{tag_ids[1]}", name, _N_CHILD_SAMPLES),
        embedding_id=embeddings[0].id,
        embedding2d_id=embeddings[0].projection_id,
        neighborhood_id=embeddings[0].neighborhood_id,
        other_embedding_id=embeddings[1].id,
        other_embedding2d_id=embeddings[1].projection_id,
        task_name=(task_name := name.replace(" ", "_")),
        prediction_score_id=_add_predictions(client, url, task_name, sample_ids[0]),
        configuration_id=_create(client, f"{url}/configuration/metadata", configuration),
        user_configuration_id=_create(client, "/v1/configuration/metadata", configuration),
        worker_id=worker_id,
        config_ids=config_ids,
        job_id=_add_job(server.platform, user, dataset_id, tag_ids[2], name),
        cancelled_job_id=_add_cancelled_job(server.platform, user, dataset_id),
        read_url=client.get(f"{url}/samples/{sample_ids[0]}/readurl").json(),
        write_url=write_urls["full"],
        public_token=_make_public_token(server.platform, user, dataset_id),
        access_config_id=_create(client, f"{url}/collaboration/access", sharing),
        team_id=team.id,
        member_id=team.member_id,
        service_account_id=team.service_account_id,
        view_id=_create(client, f"/ext{url}/views", {"query": "layout=grid", "name": name}),
        token_id=_create(client, "/ext/v1/account/tokens", {"name": name}),
        **_add_datasources(server.platform, user, client, dataset_id),
        **runs,
    )


def _create(client: TestClient, url: str, body: dict[str, Any]) -> str:
    response = client.post(url, json=body)
    assert response.status_code == 201, response.text
    entity_id: str = response.json()["id"]
    return entity_id


def _upload_image(client: TestClient, sample_url: str, name: str) -> dict[str, str]:
    urls: dict[str, str] = client.get(f"{sample_url}/writeurls").json()
    for kind in ("full", "thumb"):
        # The owner's name is in the bytes: if they reached somebody else, it would show.
        response = client.put(urls[kind], content=_PNG_START + name.encode())
        assert response.status_code == 200, response.text
    return urls


def _add_tags(client: TestClient, url: str, name: str) -> list[str]:
    ids = [_create(client, f"{url}/tags/initial", {"imgType": "full"})]
    for mask in (_CHILD_MASK, _LEAF_MASK):
        body = {
            "name": f"{name} {mask}",
            "prevTagId": ids[-1],
            "bitMaskData": mask,
            "totSize": N_SAMPLES,
        }
        ids.append(_create(client, f"{url}/tags", body))
    return ids


def _add_scores(client: TestClient, tag_url: str, name: str, count: int) -> str:
    body = {"scoreType": name.replace(" ", "_"), "scores": [0.5] * count}
    return _create(client, f"{tag_url}/scores", body)


def _add_worker_configs(client: TestClient, name: str) -> dict[str, str]:
    """Add a worker configuration of every version that carries the name."""
    config = {"workerType": "FULL", "docker": {"checkpoint": name}}
    ids = {"V0": _create(client, f"{_WORKERS}/config", {"config": config})}
    for version in ("V2", "V3", "V4"):
        body = {"version": version, "config": config}
        ids[version] = _create(client, f"{_WORKERS}/config/vX", body)
    return ids


class _AddedTeam(NamedTuple):
    id: str
    member_id: str
    service_account_id: str


def _add_team(
    platform: PlatformState, user: User, client: TestClient, name: str, stranger: str
) -> _AddedTeam:
    """Add a team of a user with a member who is still to come, and a service account."""
    database, keys, clock = platform.database, platform.keys, platform.clock
    team_id = administration.add_team(database, clock, f"{name} {make_id()}", user.email)
    administration.add_service_account(database, keys, clock, team_id, name)
    (account,) = administration.list_service_accounts(database, team_id)
    body = {"email": stranger, "role": "MEMBER"}
    response = client.post(f"/v1/teams/{team_id}/members", json=body)
    assert response.status_code == 200, response.text
    return _AddedTeam(team_id, response.json(), account.user_id)


def _add_predictions(client: TestClient, url: str, task_name: str, sample_id: str) -> str:
    """Add a task with the predictions of one sample; return the id of its scores."""
    type_ = "INSTANCE_SEGMENTATION"
    schema = {"name": task_name, "type": type_, "categories": [{"id": 0, "name": task_name}]}
    _create(client, f"{url}/predictions/tasks", schema)
    prediction = {"type": type_, "taskName": task_name, "categoryId": 0, "score": 1}
    body = [prediction | {"segmentation": [1, 2], "bbox": [1, 2, 3, 4]}]
    response = client.post(f"{url}/predictions/samples/{sample_id}", json=body)
    assert response.status_code == 201, response.text
    scores = {"scoreType": task_name, "scores": [0.5] * N_SAMPLES}
    return _create(client, f"{url}/predictions/scores?taskName={task_name}", scores)


def _add_role(client: TestClient, name: str) -> None:
    """Add a dataset whose datasource is read under a delegated role."""
    dataset_id = _create(client, "/v1/datasets", {"name": f"{name} role"})
    body = {
        "type": "S3DelegatedAccess",
        "purpose": "INPUT_OUTPUT",
        "fullPath": "s3://bucket/path",
        "s3Region": "us-east-1",
        "s3ARN": "arn:aws:iam::123456789012:role/images",
        "s3ExternalId": make_id(),
    }
    response = client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)
    assert response.status_code == 204, response.text


def _add_automatic_tags(client: TestClient, url: str, sample_id: str) -> None:
    """Store a tag of a sample as a worker does, so that words find it."""
    type_, task = "CLASSIFICATION", AUTO_TAGS_TASK
    categories = [
        {"id": number, "name": name} for number, name in enumerate(load_vocabulary().class_names)
    ]
    schema = {"name": task, "type": type_, "categories": categories}
    _create(client, f"{url}/predictions/tasks", schema)
    body = [{"type": type_, "taskName": task, "categoryId": 0, "score": 1}]
    response = client.post(f"{url}/predictions/samples/{sample_id}", json=body)
    assert response.status_code == 201, response.text


def _add_datasources(
    platform: PlatformState, user: User, client: TestClient, dataset_id: str
) -> dict[str, str]:
    """Add a pair of datasources, the second in the server's mount if it has one."""
    url = f"/v1/datasets/{dataset_id}/datasource"
    mount = platform.settings.lightly_mount
    if mount:
        Path(mount, dataset_id).mkdir(parents=True)
    query = {"fileName": FILE_NAME.removeprefix(".lightly/predictions/")}
    # Before it goes to the mount, the other side is in the platform's own storage.
    for purpose, type_ in (
        ("INPUT", "LIGHTLY"),
        ("LIGHTLY", "LIGHTLY"),
        ("LIGHTLY", "LOCAL" if mount else "LIGHTLY"),
    ):
        body = {"type": type_, "purpose": purpose, "fullPath": dataset_id}
        response = client.put(url, json=body)
        assert response.status_code == 204, response.text
        if purpose == "LIGHTLY":
            write_url: str = client.get(f"{url}/predictions/writeUrl", params=query).json()
            assert client.put(write_url, content=b"{}").status_code == 200
    moment = {"processedUntilTimestamp": _CREATED_AT_MS // 1000}
    assert client.put(f"{url}/processedUntilTimestamp", json=moment).status_code == 204
    with platform.database.read() as connection:
        tokens = PublicTokenSigner.open(connection, platform.keys, user, dataset_id)
    return {
        "datasource_id": client.get(f"{url}?purpose=LIGHTLY").json()["id"],
        "file_url": client.get(f"{url}/predictions/file", params=query).json(),
        "file_write_url": write_url,
        "file_token": tokens.sign(path=FILE_NAME),
    }


class _AddedEmbedding(NamedTuple):
    id: str
    projection_id: str
    neighborhood_id: str


def _add_embedding(
    platform: PlatformState, user: User, dataset_id: str, name: str, file_names: list[str]
) -> _AddedEmbedding:
    """Add an embedding as it is after its CSV was read, and a projection of it."""
    embedding_id, projection_id = make_id(), make_id()
    vectors = np.arange(2 * len(file_names), dtype=np.float32).reshape(-1, 2)
    rows = [f"{name},{x},{y},0" for name, (x, y) in zip(file_names, vectors, strict=True)]
    text = "\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""])
    info = platform.blobs.put(make_csv_key(dataset_id, embedding_id), [text.encode()])
    with platform.blobs.open_writer(make_vectors_key(dataset_id, embedding_id, info.etag)) as file:
        np.save(file, vectors, allow_pickle=False)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, user, dataset_id, Action.WRITE)
        embedding = Embedding(
            id=embedding_id,
            dataset_key=dataset.key,
            name=name,
            state=EmbeddingState.READY.value,
            error=None,
            n_rows=len(file_names),
            dimension=vectors.shape[1],
            source_etag=info.etag,
            created_at_ms=_CREATED_AT_MS,
        )
        embeddings_repository.insert_embedding(connection, embedding)
        projection = Projection(
            id=projection_id,
            embedding_id=embedding_id,
            name=f"{name}__2d",
            method="PCA",
            created_at_ms=_CREATED_AT_MS,
            coordinates=pack_coordinates(vectors),
        )
        embeddings_repository.put_projection(connection, projection)
        groups = Neighborhood(
            id=make_id(),
            embedding_id=embedding_id,
            kind=NeighborhoodKind.NEAR_DUPLICATES.value,
            parameters_json='{"maxDistance":0.5,"rule":"STAR"}',
            source_etag=info.etag,
            created_at_ms=_CREATED_AT_MS,
            summary_json=f'{{"nSamples":{len(file_names)}}}',
            content=pack_values(np.arange(len(file_names)), NeighborhoodKind.NEAR_DUPLICATES),
        )
        put_neighborhood(connection, groups)
    return _AddedEmbedding(embedding_id, projection_id, groups.id)


def _add_job(platform: PlatformState, user: User, dataset_id: str, tag_id: str, name: str) -> str:
    """Add a sampling job that has finished, and its report."""
    job_id = make_id()
    with platform.database.write() as connection:
        connection.execute(
            sa.insert(jobs).values(
                id=job_id,
                user_id=user.id,
                dataset_id=dataset_id,
                kind="SAMPLING",
                status="FINISHED",
                input_json="{}",
                result_json=f'{{"type":"SAMPLING","data":"{tag_id}"}}',
                attempts=1,
                created_at_ms=_CREATED_AT_MS,
                last_modified_at_ms=_CREATED_AT_MS,
                finished_at_ms=_CREATED_AT_MS,
            )
        )
        column = ColumnInfo("picks", "<i8", _N_LEAF_SAMPLES, "pick")
        body = {"request": {"newTagName": name}, "columns": [asdict(column)]}
        report = StoredReport(tag_id, job_id, _CREATED_AT_MS, orjson.dumps(body).decode())
        blocks = pack_columns(ReportContent(body, [(column, np.arange(_N_LEAF_SAMPLES))]))
        insert_report(connection, report, blocks)
    return job_id


def _add_cancelled_job(platform: PlatformState, user: User, dataset_id: str) -> str:
    with platform.database.write() as connection:
        job_id = add_job(connection, NewJob(JobKind.SAMPLING, user.id, dataset_id, {}), 0)
        fail_job(connection, job_id, CANCELLED, _CREATED_AT_MS)
    return job_id


def _make_public_token(platform: PlatformState, user: User, dataset_id: str) -> str:
    with platform.database.read() as connection:
        return make_public_token(connection, platform.keys, user, dataset_id)
