"""Scores the forest of scoring.rs with ONNX Runtime and LightGBM on one thread. Writes one JSON object: the
largest differences from our scores and the seconds per row and tree."""

import ctypes
import json
import sys
import time

import lightgbm
import numpy
import onnx
import onnxruntime

given = json.load(open(sys.argv[1]))
features, trees = given["features"], given["trees"]
rows = numpy.array(given["rows"], dtype=numpy.float32).reshape(-1, features)
scores = numpy.array(given["scores"])


def below(threshold):
    """The largest f32 up to the threshold: comparisons of f32 values keep their result."""
    near = numpy.float32(threshold)
    return float(numpy.nextafter(near, numpy.float32(-numpy.inf)) if near > threshold else near)


def onnx_model():
    """A TreeEnsembleRegressor that adds up leaf values."""
    columns = {name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree_place, tree in enumerate(trees):
        for place, node in enumerate(tree):
            value, feature, threshold, true, false = node if len(node) > 1 else (node[0], 0, 0.0, 0, 0)
            mode = "BRANCH_LEQ" if len(node) > 1 else "LEAF"
            added = (tree_place, place, feature, below(threshold), mode, true, false)
            for column, item in zip(columns.values(), added):
                column.append(item)
            if mode == "LEAF":
                for column, item in zip(leaves.values(), (tree_place, place, 0, value)):
                    column.append(item)
    node = onnx.helper.make_node(
        "TreeEnsembleRegressor",
        ["rows"],
        ["scores"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        **{f"nodes_{name}": column for name, column in columns.items()},
        **{f"target_{name}": column for name, column in leaves.items()},
    )
    float32 = onnx.TensorProto.FLOAT
    rows_in = onnx.helper.make_tensor_value_info("rows", float32, [None, features])
    scores_out = onnx.helper.make_tensor_value_info("scores", float32, [None, 1])
    graph = onnx.helper.make_graph([node], "forest", [rows_in], [scores_out])
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)


def lightgbm_tree(place, tree):
    """One tree of the model file. Inner nodes are numbered upwards from 0, leaves downwards from -1."""
    inner = [node_place for node_place, node in enumerate(tree) if len(node) > 1]
    leaves = [node_place for node_place, node in enumerate(tree) if len(node) == 1]
    number = {node_place: order for order, node_place in enumerate(inner)}
    number.update({node_place: -1 - order for order, node_place in enumerate(leaves)})
    fields = {
        "num_leaves": [len(leaves)],
        "num_cat": [0],
        "split_feature": [tree[node][1] for node in inner],
        "split_gain": [1] * len(inner),
        "threshold": [tree[node][2] for node in inner],
        "decision_type": [0] * len(inner),
        "left_child": [number[tree[node][3]] for node in inner],
        "right_child": [number[tree[node][4]] for node in inner],
        "leaf_value": [tree[node][0] for node in leaves],
        "leaf_weight": [1] * len(leaves),
        "leaf_count": [1] * len(leaves),
        "internal_value": [tree[node][0] for node in inner],
        "internal_weight": [1] * len(inner),
        "internal_count": [1] * len(inner),
        "is_linear": [0],
        "shrinkage": [1],
    }
    lines = [f"Tree={place}"] + [f"{name}={' '.join(map(repr, values))}" for name, values in fields.items()]
    return "\n".join(lines) + "\n\n\n"


def lightgbm_model():
    """The model file."""
    texts = [lightgbm_tree(place, tree) for place, tree in enumerate(trees)]
    names = [f"f{column}" for column in range(features)]
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        "objective=regression",
        f"feature_names={' '.join(names)}",
        f"feature_infos={' '.join(['[-100:100]'] * features)}",
        f"tree_sizes={' '.join(str(len(text)) for text in texts)}",
    ]
    return "\n".join(head) + "\n\n" + "".join(texts) + "end of trees\n"


def measured(batch, one_row):
    """The shortest of several rounds, and the largest difference of the scores."""

    def best(of):
        times = []
        for _ in range(given["rounds"]):
            began = time.perf_counter()
            of()
            times.append(time.perf_counter() - began)
        return min(times) / len(rows) / len(trees)

    furthest = numpy.abs(numpy.asarray(batch()).ravel() - scores).max()
    furthest_alone = numpy.abs(numpy.array([one_row(place) for place in range(len(rows))]) - scores).max()
    return {
        "furthest": float(max(furthest, furthest_alone)),
        "batch": best(batch),
        "one_row": best(lambda: [one_row(place) for place in range(len(rows))]),
    }


def by_onnxruntime():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_model().SerializeToString(), options, ["CPUExecutionProvider"])
    singles = [rows[place : place + 1] for place in range(len(rows))]
    return measured(
        lambda: session.run(None, {"rows": rows})[0],
        lambda place: session.run(None, {"rows": singles[place]})[0][0, 0],
    )


def by_lightgbm():
    booster = lightgbm.Booster(model_str=lightgbm_model())
    # The C interface for single rows avoids the overhead of predict().
    library, fast = lightgbm.basic._LIB, ctypes.c_void_p()
    f32, raw = 0, 1
    answer, length = ctypes.c_double(), ctypes.c_int64()
    done = library.LGBM_BoosterPredictForMatSingleRowFastInit(
        booster._handle, raw, 0, -1, f32, features, b"num_threads=1", ctypes.byref(fast)
    )
    assert done == 0, library.LGBM_GetLastError()
    places = [ctypes.c_void_p(rows.ctypes.data + place * features * 4) for place in range(len(rows))]

    def one_row(place):
        library.LGBM_BoosterPredictForMatSingleRowFast(fast, places[place], ctypes.byref(length), ctypes.byref(answer))
        return answer.value

    return measured(lambda: booster.predict(rows, raw_score=True, num_threads=1), one_row)


found = {"onnxruntime": by_onnxruntime(), "lightgbm": by_lightgbm()}
found["versions"] = {"onnxruntime": onnxruntime.__version__, "lightgbm": lightgbm.__version__}
json.dump(found, sys.stdout)
