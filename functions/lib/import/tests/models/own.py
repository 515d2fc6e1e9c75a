"""Trains a model for each look on the files of `look features`: python own.py FOLDER, with first.csv and
confirm.csv in it. Prints the AUC on the holdout.
"""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np
import xgboost
from sklearn.metrics import roc_auc_score

folder = Path(sys.argv[1])


def read(look):
    with open(folder / f"{look}.csv") as file:
        *names, _, _, _ = file.readline().strip().split(",")
        table = np.genfromtxt(file, delimiter=",")
    return names, table[:, :-3], table[:, -3], table[:, -2] == 1, table[:, -1]


names, x, y, apart, weight = read("first")
first = xgboost.train(
    {"objective": "binary:logistic", "max_depth": 3, "nthread": 1},
    xgboost.DMatrix(x[~apart], label=y[~apart], feature_names=names), 20,
)
missing = int(np.isnan(x).sum())
first.save_model(folder / "first.json")
scores = first.predict(xgboost.DMatrix(x[apart], feature_names=names))
aucs = [roc_auc_score(y[apart], scores, sample_weight=weight[apart])]

names, x, y, apart, weight = read("confirm")
# The columns are in another order than the look's features.
order = np.argsort(names)
settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
data = lightgbm.Dataset(x[~apart][:, order], y[~apart], feature_name=[names[place] for place in order])
confirm = lightgbm.train(settings, data, 20)
confirm.save_model(folder / "confirm.txt")
scores = confirm.predict(x[apart][:, order])
aucs.append(roc_auc_score(y[apart], scores, sample_weight=weight[apart]))
print(json.dumps({"aucs": aucs, "rows": round(weight.sum()), "missing": missing}))
