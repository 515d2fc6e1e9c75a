"""Trains models of every kind with each library: python peers.py FOLDER.

Writes NAME.json or NAME.txt for each model, and NAME.csv with rows in the model's column order and the
library's own probability. The features are a to e. A model with column names has them in another order.
"""

import csv
import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
import xgboost
from sklearn import ensemble, tree

sys.path.append(str(Path(__file__).parents[2]))
from from_sklearn import form

OUT = Path(sys.argv[1])
NAMES, SHUFFLED = list("abcde"), list("dbaec")
DRAW = np.random.default_rng(20)


def draw(rows, missing):
    x = DRAW.normal(size=(rows, 5))
    x[:, 1] = DRAW.poisson(1.0, rows)  # many zeros
    x[:, 2] = np.exp(8 * x[:, 2])
    x = x.astype(np.float32)
    chance = np.where((x[:, 0] > 0) == (x[:, 1] > 0.5), 0.6, 0.03) + 0.2 * (x[:, 2] > 1)
    # Missing values carry information, except in the last column.
    gone = DRAW.random(x.shape) < np.where(chance > 0.5, 0.3, 0.1)[:, None]
    x[gone & (np.arange(5) < (5 if missing == "anywhere" else 4))] = np.nan
    return (x if missing else np.nan_to_num(x, nan=np.finfo("f4").max)), (DRAW.random(rows) < chance).astype(int)


X, Y = draw(2_000, "but the last")
ROWS, _ = draw(500, "anywhere")
FULL, _ = draw(500, None)
FILLED = np.nan_to_num(X, nan=np.finfo("f4").max)
NO_NAN = DRAW.normal(size=(2_000, 5)).astype("f4")
LABELS = (DRAW.random(2_000) < 1 / (1 + np.exp(2 - NO_NAN[:, 0] * NO_NAN[:, 3]))).astype(int)


def write(name, columns, rows, probabilities):
    probabilities = np.asarray(probabilities, dtype=float)
    assert 0.01 < probabilities.std() and len(rows) == len(probabilities), name
    with open(OUT / f"{name}.csv", "w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*columns, "probability"])
        for row, probability in zip(rows.astype(float), probabilities):
            lines.writerow(["" if np.isnan(value) else repr(float(value)) for value in row] + [repr(float(probability))])


def of_xgboost(name, names=None, rounds=40, **settings):
    settings = {"objective": "binary:logistic", "seed": 1, "nthread": 1, **settings}
    model = xgboost.train(settings, xgboost.DMatrix(X, label=Y, feature_names=names), rounds)
    model.save_model(OUT / f"{name}.json")
    answers = model.predict(xgboost.DMatrix(ROWS, feature_names=names)).astype(float)
    raw = settings["objective"] == "binary:logitraw"
    write(name, names or NAMES, ROWS, 1 / (1 + np.exp(-answers)) if raw else answers)


def of_lightgbm(name, names="auto", rounds=40, x=X, y=Y, **settings):
    settings = {"objective": "binary", "seed": 1, "verbose": -1, "num_threads": 1, **settings}
    model = lightgbm.train(settings, lightgbm.Dataset(x, y, feature_name=names), rounds)
    model.save_model(OUT / f"{name}.txt")
    write(name, NAMES if names == "auto" else names, ROWS, model.predict(ROWS))


def of_sklearn(name, model, x=X, rows=ROWS, names=None):
    model.fit(x, Y)
    if names:
        model.feature_names_in_ = np.array(names, dtype=object)
    (OUT / f"{name}.json").write_text(json.dumps(form(model)))
    if names:
        del model.feature_names_in_
    write(name, names or NAMES, rows, model.predict_proba(rows)[:, 1])


of_xgboost("xgboost-plain")
of_xgboost("xgboost-named", SHUFFLED, max_depth=3)
of_xgboost("xgboost-deep", max_depth=12, min_child_weight=0, rounds=10)
of_xgboost("xgboost-leaves", tree_method="hist", grow_policy="lossguide", max_leaves=20, max_depth=0, gamma=0.5)
of_xgboost("xgboost-pruned", tree_method="exact", gamma=2)
of_xgboost("xgboost-dart", SHUFFLED, booster="dart", rate_drop=0.3, max_depth=3)
of_xgboost("xgboost-forest", num_parallel_tree=30, subsample=0.6, colsample_bynode=0.6, eta=1, rounds=1, base_score=0.2)
of_xgboost("xgboost-logitraw", objective="binary:logitraw", max_depth=3)
of_xgboost("xgboost-reg", objective="reg:logistic", base_score=0.07, max_depth=2)
of_xgboost("xgboost-weighted", scale_pos_weight=9, max_depth=2)
of_xgboost("xgboost-stumps", max_depth=1)

of_lightgbm("lightgbm-plain")
of_lightgbm("lightgbm-named", SHUFFLED, num_leaves=7)
of_lightgbm("lightgbm-unmissed", x=NO_NAN, y=LABELS)  # trained without NaN: NaN counts as 0
of_lightgbm("lightgbm-no-missing", use_missing=False)
of_lightgbm("lightgbm-forest", boosting="rf", bagging_fraction=0.6, bagging_freq=1, feature_fraction=0.6)
of_lightgbm("lightgbm-dart", SHUFFLED, boosting="dart", drop_rate=0.3)
of_lightgbm("lightgbm-sigmoid", sigmoid=0.4, is_unbalance=True)
of_lightgbm("lightgbm-extra", extra_trees=True, max_depth=3, boost_from_average=False)
of_lightgbm("lightgbm-few", min_data_in_leaf=200, min_gain_to_split=8)  # trees of one leaf among them

of_sklearn("sklearn-forest", ensemble.RandomForestClassifier(30, random_state=1))
of_sklearn("sklearn-named", ensemble.RandomForestClassifier(10, max_depth=4, class_weight="balanced", random_state=1), names=SHUFFLED)
of_sklearn("sklearn-extra", ensemble.ExtraTreesClassifier(30, min_samples_leaf=3, random_state=1))
of_sklearn("sklearn-tree", tree.DecisionTreeClassifier(max_depth=5, random_state=1))
of_sklearn("sklearn-boosting", ensemble.GradientBoostingClassifier(n_estimators=40, random_state=1), x=FILLED, rows=FULL)
of_sklearn("sklearn-zero", ensemble.GradientBoostingClassifier(n_estimators=10, init="zero", random_state=1), x=FILLED, rows=FULL)
of_sklearn("sklearn-hist", ensemble.HistGradientBoostingClassifier(max_iter=40, random_state=1), names=SHUFFLED)

# Models that the import must refuse, with a part of the message.
of_xgboost_refused = [
    ("refused-categories.json", "categorical split", lambda: xgboost.train(
        {"objective": "binary:logistic", "tree_method": "hist", "max_cat_to_onehot": 1},
        xgboost.DMatrix(np.abs(X[:, 1:2]), label=Y, feature_types=["c"], enable_categorical=True), 3)),
    ("refused-classes.json", "multi:softprob", lambda: xgboost.train(
        {"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(X, label=np.arange(len(Y)) % 3), 2)),
    ("refused-linear.json", "gblinear", lambda: xgboost.train(
        {"objective": "binary:logistic", "booster": "gblinear"}, xgboost.DMatrix(X, label=Y), 2)),
    ("refused-counts.json", "count:poisson", lambda: xgboost.train(
        {"objective": "count:poisson"}, xgboost.DMatrix(X, label=Y), 2)),
    ("refused-vectors.json", "several outputs", lambda: xgboost.train(
        {"objective": "binary:logistic", "multi_strategy": "multi_output_tree", "tree_method": "hist"},
        xgboost.DMatrix(X, label=np.stack([Y, 1 - Y], 1)), 2)),
    ("refused-late.json", "best round", lambda: xgboost.train(
        {"objective": "binary:logistic", "eta": 1}, xgboost.DMatrix(X[:300], label=Y[:300]), 60,
        evals=[(xgboost.DMatrix(X[300:], label=Y[300:]), "apart")], early_stopping_rounds=5, verbose_eval=False)),
    ("refused-binary.ubj", "unknown model format", lambda: xgboost.train({}, xgboost.DMatrix(X, label=Y), 2)),
]
train = lambda settings, y=Y, **data: lightgbm.train({"verbose": -1, **settings}, lightgbm.Dataset(X, y, **data), 3)
of_lightgbm_refused = [
    ("refused-categories.txt", "categorical split", lambda: train({"objective": "binary", "min_data_per_group": 1}, categorical_feature=[1])),
    ("refused-leaves.txt", "linear leaves", lambda: train({"objective": "binary", "linear_tree": True})),
    ("refused-classes.txt", "several outputs", lambda: train({"objective": "multiclass", "num_class": 3}, np.arange(len(Y)) % 3)),
    ("refused-regression.txt", "objective regression", lambda: train({"objective": "regression"})),
    ("refused-zeros.txt", "zero_as_missing", lambda: train({"objective": "binary", "zero_as_missing": True})),
]
refused = {}
for name, why, model in of_xgboost_refused + of_lightgbm_refused:
    model().save_model(OUT / name)
    refused[name] = why
(OUT / "refused.json").write_text(json.dumps(refused))
