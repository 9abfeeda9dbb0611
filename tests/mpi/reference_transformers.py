#!/usr/bin/python3
"""Prints tests/mpi/reference_transformers.hpp: what scikit-learn's transformers make of a small table.

The tests read what is committed; run this with Debian's python3-sklearn to make it anew.
"""
import numpy as np
import sklearn
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler

random = np.random.RandomState(20261121)
nan = np.nan
numbers = np.round(random.standard_normal((37, 3)) * [1, 1e6, 1e-7] + [5, -3e6, 2e-7], 12)
numbers[[1, 5, 6, 30], 0] = nan
numbers[[0, 8], 1] = nan
numbers[:, 2] = np.where(random.rand(37) < 0.4, 3e-7, numbers[:, 2])  # a value that is the most frequent
categories = np.array(["red", "green", "blue", "a b"])[random.randint(0, 4, 37)].reshape(-1, 1)
categories[[3, 4]] = ""


def text(values):
    return ", ".join("NAN" if np.isnan(v) else repr(float(v)) for v in np.asarray(values, dtype=float).ravel())


def table(name, values):
    print(f"inline const std::vector<double> {name}{{{text(values)}}};")


print("#pragma once\n#include <cmath>\n#include <string>\n#include <vector>\n")
print(f"// Made by reference_transformers.py with scikit-learn {sklearn.__version__}: do not edit.")
print("// clang-format off\nnamespace kernmill::tasks::reference {\n")
table("numbers", numbers)
print("inline const std::vector<std::string> categories{" + ", ".join(f'"{c}"' for c in categories[:, 0]) + "};")
for strategy in ("mean", "median", "most_frequent"):
    imputed = SimpleImputer(strategy=strategy).fit_transform(numbers)
    table(f"imputed_{strategy}", imputed)
    for name, scaler in (("standard", StandardScaler()), ("min_max", MinMaxScaler()), ("robust", RobustScaler())):
        table(f"{strategy}_{name}", scaler.fit_transform(imputed))
table("indicator", MissingIndicator(features="all").fit_transform(numbers))
filled = SimpleImputer(strategy="most_frequent", missing_values="").fit_transform(categories.astype(object))
table("one_hot", OneHotEncoder(sparse_output=False).fit_transform(filled))
table("ordinal", OrdinalEncoder().fit_transform(filled))
print("\n}  // namespace kernmill::tasks::reference\n// clang-format on")
