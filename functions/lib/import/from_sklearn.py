"""Writes a scikit-learn tree, forest or gradient boosting classifier as JSON for `look train`.

    python from_sklearn.py model.joblib model.json

In Python: `from from_sklearn import form; json.dump(form(model), file)`.
src/sklearn.rs describes the format. Requires scikit-learn 1.6 or newer. Missing values in training must be
NaN, or 3.4028235e38 for GradientBoostingClassifier, which does not accept NaN.
"""

import json
import sys

import numpy as np


def form(model):
    kind, classes = type(model).__name__, len(model.classes_)
    if classes != 2:
        raise SystemExit(f"{kind} has {classes} classes: train it with two")
    if kind == "HistGradientBoostingClassifier":
        if model.is_categorical_ is not None and model.is_categorical_.any():
            raise SystemExit("categorical splits can't be served: encode categories as numbers")
        link, bias = "log_odds", float(np.ravel(model._baseline_prediction)[0])
        trees = [from_hist(predictor.nodes) for (predictor,) in model._predictors]
    elif kind == "GradientBoostingClassifier":
        if model.loss != "log_loss" or model.init not in (None, "zero"):
            raise SystemExit("gradient boosting can't be served: train with loss='log_loss' and init=None or 'zero'")
        grown, rate = [tree for (tree,) in model.estimators_], model.learning_rate
        origin = np.zeros((1, model.n_features_in_), dtype=np.float32)
        link = "log_odds"
        bias = float(model.decision_function(origin)[0] - rate * sum(tree.predict(origin)[0] for tree in grown))
        trees = [from_tree(tree.tree_, rate * tree.tree_.value[:, 0, 0]) for tree in grown]
        # GradientBoostingClassifier does not accept NaN. The largest number stands for it and goes right.
        for tree in trees:
            tree["missing_left"] = [False] * len(tree["missing_left"])
    elif kind in ("RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier"):
        grown = getattr(model, "estimators_", [model])
        link, bias, trees = "probability", 0.0, []
        for tree in (tree.tree_ for tree in grown):
            trees.append(from_tree(tree, tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) / len(grown)))
    else:
        raise SystemExit(f"{kind} can't be served: train a forest or gradient boosting classifier")
    names = getattr(model, "feature_names_in_", None)
    return {
        "second_look_trees": 1, "link": link, "bias": bias, "features": int(model.n_features_in_),
        "names": None if names is None else list(names), "trees": trees,
    }


def from_tree(tree, value):
    return columns(
        left=tree.children_left, right=tree.children_right, feature=tree.feature, threshold=tree.threshold,
        missing_left=tree.missing_go_to_left.astype(bool), value=value, weight=tree.weighted_n_node_samples,
    )


def from_hist(nodes):
    leaf = nodes["is_leaf"].astype(bool)
    return columns(
        left=np.where(leaf, -1, nodes["left"].astype(int)), right=np.where(leaf, -1, nodes["right"].astype(int)),
        feature=nodes["feature_idx"], threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(bool), value=nodes["value"], weight=nodes["count"],
    )


def columns(threshold, **arrays):
    # A threshold is infinite if only missing values go the other way. JSON has no infinity.
    arrays["threshold"] = np.clip(threshold, -sys.float_info.max, sys.float_info.max)
    return {name: array.tolist() for name, array in arrays.items()}


if __name__ == "__main__":
    import joblib

    with open(sys.argv[2], "w") as file:
        json.dump(form(joblib.load(sys.argv[1])), file)
