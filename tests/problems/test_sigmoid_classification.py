"""The real data are those of scikit-learn, which took them from their authors."""

import hashlib
from importlib.resources import files

import numpy as np

from problems.data import breast_cancer


def test_the_file_is_the_one_that_its_note_names() -> None:
    data = files("problems.data")
    digest = hashlib.sha256(data.joinpath("breast_cancer.csv").read_bytes()).hexdigest()
    assert f"`{digest[:8]}`" in data.joinpath("README.md").read_text(encoding="utf-8")


def test_features_and_classes() -> None:
    features, malignant = breast_cancer()
    np.testing.assert_array_equal(features[0, :3], [17.99, 10.38, 122.8])
    assert (features >= 0).all()
    assert malignant[0]
    assert features[malignant, 0].mean() > features[~malignant, 0].mean()  # malignant tumours are larger
