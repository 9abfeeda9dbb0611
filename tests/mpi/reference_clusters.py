#!/usr/bin/env python3
"""What scikit-learn says of clusters and components: learn_kmeans_test.cpp, learn_pca_test.cpp.

reference_clusters.py          (with scikit-learn; the numbers are those of 1.9)
"""

import csv
import os
import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

warnings.simplefilter("ignore")
DATA = os.path.join(os.path.dirname(__file__), "../../workflows/data")


def read(name):
    rows = list(csv.reader(open(os.path.join(DATA, name + ".csv"))))[1:]
    return np.array([[float(x) for x in row[:-1]] for row in rows]), np.array([row[-1] for row in rows])


def show(what, *values):
    print(what, *(repr(float(value)) for value in values))


for name, k in (("iris", 3), ("digits", 10)):
    x, y = read(name)
    best = KMeans(k, n_init=50, tol=0, random_state=0).fit(x)
    show(name + " inertia", best.inertia_)
    show(name + " adjusted Rand, mutual information", adjusted_rand_score(y, best.labels_),
         normalized_mutual_info_score(y, best.labels_))
    away = np.sort(best.transform(x), axis=1)
    show(name + " simplified silhouette", np.mean((away[:, 1] - away[:, 0]) / away[:, 1]))
    deviation = x.std(0)
    z = (x - x.mean(0)) / np.where(deviation == 0, 1, deviation)
    if name == "iris":
        show("iris standardised inertia", KMeans(k, n_init=50, tol=0, random_state=0).fit(z).inertia_)

x, _ = read("iris")
first = KMeans(3, init=x[[0, 50, 100]], n_init=1, tol=0, algorithm="lloyd").fit(x)
show("iris from rows 0, 50, 100", first.inertia_, first.n_iter_, *first.cluster_centers_.ravel())

pca = PCA(2).fit(x)
show("iris components", *pca.components_.ravel(), *pca.explained_variance_, *pca.explained_variance_ratio_)
show("iris first row", *pca.transform(x[:1]).ravel(), *PCA(2, whiten=True).fit(x).transform(x[:1]).ravel())
show("iris reconstruction", np.mean(np.sum((x - pca.inverse_transform(pca.transform(x))) ** 2, axis=1)))
d, _ = read("digits")
show("digits ratios", *PCA(3).fit(d).explained_variance_ratio_)
show("digits components of 95 %", PCA(0.95).fit(d).n_components_)
