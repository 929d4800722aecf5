"""Our scorers give the numbers of the published client 1.2.28, run beside them on random input."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.active_learning.scorers import (
    ScorerClassification,
    ScorerKeypointDetection,
    ScorerObjectDetection,
    ScorerSemanticSegmentation,
)
from lightly.active_learning.utils import (
    BoundingBox,
    KeypointInstancePrediction,
    KeypointPrediction,
    ObjectDetectionOutput,
)
from lightly.utils.cropping.read_yolo_label_file import read_yolo_label_file
from tests.support.published_clients.runner import run_client_script

TOLERANCE = 1e-6
pytestmark = pytest.mark.xdist_group("client-1.2.28")

# The release is from before NumPy refused `float()` of an array with one element, so that is
# allowed again in the one module that does it.
SCRIPT = """
    import builtins
    import numpy as np
    import lightly.active_learning.scorers.classification as classification
    from lightly.active_learning.scorers import (
        ScorerClassification, ScorerObjectDetection, ScorerSemanticSegmentation,
    )
    from lightly.active_learning.scorers.keypoint_detection import ScorerKeypointDetection
    from lightly.active_learning.utils import BoundingBox, ObjectDetectionOutput
    from lightly.active_learning.utils.keypoint_predictions import KeypointPrediction
    from lightly.utils.cropping.read_yolo_label_file import read_yolo_label_file

    classification.float = lambda value: builtins.float(np.asarray(value).item())

    def listed(scores):
        return {name: values.tolist() for name, values in scores.items()}

    def detect(image):
        boxes = [BoundingBox(*box) for box in image["boxes"]]
        if "labels" in image:
            return ObjectDetectionOutput.from_scores(boxes, image["scores"], image["labels"])
        return ObjectDetectionOutput(boxes, image["scores"], image["probabilities"])

    detections = [detect(image) for image in arguments["detections"]]
    labels, boxes = read_yolo_label_file(arguments["label_file"], arguments["padding"])
    result = {
        "classification": [
            listed(ScorerClassification(np.array(values)).calculate_scores(is_scaled))
            for values in arguments["classification"] for is_scaled in (True, False)
        ],
        "detection": [
            listed(ScorerObjectDetection(detections, config).calculate_scores())
            for config in (None, {"frequency_penalty": 0.6, "min_score": 0.2})
        ],
        "labels": [image.labels for image in detections],
        "scores": [image.scores for image in detections],
        "areas": [box.area for image in detections for box in image.boxes],
        "segmentation": listed(
            ScorerSemanticSegmentation(
                np.array(image) for image in arguments["segmentation"]
            ).calculate_scores()
        ),
        "keypoints": listed(
            ScorerKeypointDetection(
                [KeypointPrediction.from_dicts(image) for image in arguments["keypoints"]]
            ).calculate_scores()
        ),
        "yolo": [labels, [[box.x0, box.y0, box.x1, box.y1] for box in boxes]],
    }
"""


def draw_classification(generator):
    """Return predictions of several sizes, one with zeros, one not normalised, one column only."""
    batches = [generator.dirichlet(np.ones(count), 40) for count in (2, 3, 10)]
    certain = np.eye(4)
    unscaled = generator.uniform(0, 1.5, (40, 5))
    return [values.tolist() for values in (*batches, certain, unscaled, generator.random((40, 1)))]


def draw_detections(generator):
    """Return images with 0 to 7 objects, with class probabilities or with labels."""
    images = []
    for number in range(60):
        count = int(generator.integers(0, 8))
        image = {
            "boxes": np.hstack(
                [generator.uniform(-0.2, 0.5, (count, 2)), generator.uniform(0.5, 1.2, (count, 2))]
            ).tolist(),
            "scores": generator.random(count).tolist(),
        }
        if number % 2:
            image["labels"] = generator.integers(0, 6, count).tolist()
        else:
            image["probabilities"] = generator.dirichlet(np.ones(6), count).tolist()
        images.append(image)
    return images


def draw_keypoints(generator):
    """Return images with 0 to 3 objects of 1 to 5 keypoints."""
    return [
        [
            {
                "keypoints": generator.random(3 * int(generator.integers(1, 6))).tolist(),
                "category_id": 0,
                "score": 0.5,
            }
            for _ in range(generator.integers(0, 4))
        ]
        for _ in range(40)
    ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Random predictions of all kinds."""
    generator = np.random.default_rng(7)
    label_file = tmp_path_factory.mktemp("labels") / "a.txt"
    rows = np.column_stack([generator.integers(0, 9, 30), generator.uniform(0.1, 0.9, (30, 4))])
    lines = (" ".join([str(int(row[0])), *map(repr, row[1:].tolist())]) for row in rows)
    label_file.write_text("".join(line + "\n" for line in lines))
    return {
        "classification": draw_classification(generator),
        "detections": draw_detections(generator),
        "segmentation": [
            generator.dirichlet(np.ones(count), (6, 5)).tolist() for count in (2, 4, 9)
        ],
        "keypoints": draw_keypoints(generator),
        "label_file": str(label_file),
        "padding": 0.15,
    }


@pytest.fixture(scope="module")
def published(drawn):
    """What the published client makes of them."""
    run = run_client_script(
        "1.2.28", SCRIPT, server_url="http://127.0.0.1:9", token="unused", arguments=drawn
    )
    return run.result


@pytest.fixture(scope="module")
def detections(drawn):
    """The detector outputs, as ours."""
    images = []
    for image in drawn["detections"]:
        boxes = [BoundingBox(*box) for box in image["boxes"]]
        if "labels" in image:
            images.append(
                ObjectDetectionOutput.from_scores(boxes, image["scores"], image["labels"])
            )
        else:
            images.append(ObjectDetectionOutput(boxes, image["scores"], image["probabilities"]))
    return images


def assert_same_scores(ours, theirs):
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, atol=TOLERANCE, err_msg=name)


def test_classification_scores_are_the_same(drawn, published):
    ours = [
        ScorerClassification(values).calculate_scores(normalize_to_0_1=is_scaled)
        for values in drawn["classification"]
        for is_scaled in (True, False)
    ]

    assert len(ours) == len(published["classification"])
    for scores, theirs in zip(ours, published["classification"], strict=True):
        assert_same_scores(scores, theirs)


def test_detection_scores_are_the_same(detections, published):
    for config, theirs in zip(
        (None, {"frequency_penalty": 0.6, "min_score": 0.2}), published["detection"], strict=True
    ):
        assert_same_scores(ScorerObjectDetection(detections, config).calculate_scores(), theirs)


def test_detector_outputs_are_the_same(detections, published):
    assert [image.labels for image in detections] == published["labels"]
    for image, scores in zip(detections, published["scores"], strict=True):
        np.testing.assert_allclose(image.scores, scores, atol=TOLERANCE)
    areas = [box.area for image in detections for box in image.boxes]
    np.testing.assert_allclose(areas, published["areas"], atol=TOLERANCE)


def test_segmentation_scores_are_the_same(drawn, published):
    images = (np.array(image) for image in drawn["segmentation"])

    assert_same_scores(
        ScorerSemanticSegmentation(images).calculate_scores(), published["segmentation"]
    )


def test_keypoint_scores_are_the_same(drawn, published):
    images = [
        KeypointPrediction([KeypointInstancePrediction.from_dict(entry) for entry in image])
        for image in drawn["keypoints"]
    ]

    assert_same_scores(ScorerKeypointDetection(images).calculate_scores(), published["keypoints"])


def test_yolo_labels_are_the_same(drawn, published):
    labels, boxes = read_yolo_label_file(drawn["label_file"], drawn["padding"])

    assert labels == published["yolo"][0]
    sides = [[box.x0, box.y0, box.x1, box.y1] for box in boxes]
    np.testing.assert_allclose(sides, published["yolo"][1], atol=TOLERANCE)
