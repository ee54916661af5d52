"""A small real data set, for problems that nobody here made up; source and licence in `README.md`."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import numpy.typing as npt


def breast_cancer() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Features of 569 patients' cell nuclei (569, 30), and whose tumour is malignant (569,).

    >>> features, malignant = breast_cancer()
    >>> features.shape, int(malignant.sum())
    ((569, 30), 212)

    Source: Wolberg, Mangasarian, Street, Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository
    (1995), CC BY 4.0.
    """
    with files(__name__).joinpath("breast_cancer.csv").open() as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1] == 0
