"""The rounds of the agent, with a client that selects the first samples."""

from types import SimpleNamespace

import pytest

from lightly._kit.bitmask import build_bitmask, format_bitmask, iterate_indices, parse_bitmask
from lightly.active_learning.agents import ActiveLearningAgent
from lightly.active_learning.config import SelectionConfig
from lightly.active_learning.scorers import ScorerClassification

N_SAMPLES = 10
NAMES = [f"{number}.jpg" for number in range(N_SAMPLES)]


class FirstSamplesClient:
    """Selects the first samples of the query tag; remembers what it was asked for."""

    def __init__(self):
        self.tags = [make_tag("initial-tag", range(N_SAMPLES))]
        self.asked = []
        self.scores = []
        self.n_listings = 0

    def get_all_tags(self):
        return self.tags

    def get_filenames(self):
        self.n_listings += 1
        return NAMES

    def upload_scores(self, al_scores, query_tag_id=None):
        self.scores.append((query_tag_id, sorted(al_scores)))

    def selection(self, selection_config, preselected_tag_id=None, query_tag_id=None):
        self.asked.append((preselected_tag_id, query_tag_id))
        query, chosen = self.read(query_tag_id), self.read(preselected_tag_id)
        n_missing = int(selection_config.n_samples) - len(chosen)
        fresh = [index for index in query if index not in chosen][:n_missing]
        self.tags.append(make_tag(selection_config.name, [*chosen, *fresh]))
        return self.tags[-1]

    def read(self, tag_id):
        masks = [tag.bit_mask_data for tag in self.tags if tag.id == tag_id]
        return [
            index for mask in masks for index in iterate_indices(parse_bitmask(mask, N_SAMPLES))
        ]


def make_tag(name, indices):
    mask = format_bitmask(build_bitmask(indices, N_SAMPLES))
    return SimpleNamespace(id=f"id of {name}", name=name, bit_mask_data=mask, tot_size=N_SAMPLES)


def select(count, name="round"):
    return SelectionConfig(n_samples=count, name=name)


@pytest.fixture
def client():
    return FirstSamplesClient()


def test_before_the_first_query_nothing_is_labelled(client):
    agent = ActiveLearningAgent(client)

    assert (agent.query_set, agent.labeled_set, agent.unlabeled_set) == (NAMES, [], NAMES)


def test_there_is_no_added_set_before_the_first_query(client):
    agent = ActiveLearningAgent(client)

    with pytest.raises(RuntimeError, match="before the first query"):
        _ = agent.added_set


def test_each_round_adds_to_the_one_before(client):
    agent = ActiveLearningAgent(client)
    agent.query(select(3, "first"))

    agent.query(select(5, "second"))

    assert agent.added_set == NAMES[3:5]
    assert agent.labeled_set == NAMES[:5]
    assert agent.unlabeled_set == NAMES[5:]
    assert client.asked == [(None, "id of initial-tag"), ("id of first", "id of initial-tag")]


def test_a_query_takes_its_configuration_under_its_oldest_name(client):
    agent = ActiveLearningAgent(client)

    agent.query(sampler_config=select(3))

    assert agent.labeled_set == NAMES[:3]


def test_a_query_without_a_configuration_is_refused(client):
    with pytest.raises(TypeError, match="one configuration"):
        ActiveLearningAgent(client).query()


def test_tags_say_where_to_begin(client):
    client.tags += [make_tag("pool", range(2, 8)), make_tag("done", [2, 3])]

    agent = ActiveLearningAgent(client, query_tag_name="pool", preselected_tag_name="done")

    assert (agent.query_set, agent.labeled_set) == (NAMES[2:8], NAMES[2:4])
    assert agent.unlabeled_set == NAMES[4:8]


@pytest.mark.parametrize("argument", ["query_tag_name", "preselected_tag_name"])
def test_an_unknown_tag_is_named(client, argument):
    with pytest.raises(KeyError, match="no tag named 'nowhere'"):
        ActiveLearningAgent(client, **{argument: "nowhere"})


@pytest.mark.parametrize("count", [3, 0.25])
def test_a_query_for_fewer_than_there_are_is_skipped(client, count):
    agent = ActiveLearningAgent(client)
    agent.query(select(4, "first"))

    with pytest.warns(UserWarning, match="skipped"):
        agent.query(select(count, "second"))

    assert len(client.asked) == 1
    assert agent.labeled_set == NAMES[:4]


@pytest.mark.parametrize("count", [0.5, -1])
def test_a_share_or_no_limit_is_not_taken_for_few_samples(client, count):
    agent = ActiveLearningAgent(client)
    agent.query(select(4, "first"))

    agent.query(SelectionConfig(n_samples=count, min_distance=0.1, name="second"))

    assert len(client.asked) == 2


def test_scores_go_to_the_query_tag_before_the_selection(client):
    agent = ActiveLearningAgent(client)
    scorer = ScorerClassification([[0.5, 0.5]] * N_SAMPLES)

    agent.query(select(3), scorer)

    assert client.scores == [("id of initial-tag", sorted(scorer.score_names()))]


def test_scores_of_another_number_of_samples_are_refused(client):
    agent = ActiveLearningAgent(client)

    with pytest.raises(ValueError, match="10 samples, but there are 2 values"):
        agent.query(select(3), ScorerClassification([[0.5, 0.5]] * 2))

    assert (client.scores, client.asked) == ([], [])


def test_names_are_asked_for_once(client):
    agent = ActiveLearningAgent(client)
    agent.query(select(3))

    _ = (agent.query_set, agent.labeled_set, agent.unlabeled_set, agent.added_set)

    assert client.n_listings == 1
