"""Fits LightGBM on the rows of a folder and writes model.onnx and predictions.f64 into it (app/training/lightgbm.ts)."""

import json
import re
import sys
from pathlib import Path

import lightgbm
import numpy
import onnxmltools
from onnxmltools.convert.common.data_types import FloatTensorType

folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
width = job["width"]


def read(name, kind):
    return numpy.fromfile(folder / name, dtype=kind)


values = read("values.f32", "<f4").reshape(-1, width)
labels = read("labels.u8", "u1")
sizes = read("lists.i32", "<i4") if job["hasLists"] else None

parameters = {"verbose": -1, "deterministic": True, "force_row_wise": True, **job["parameters"]}
data = lightgbm.Dataset(values[: job["fitted"]], labels, group=sizes)
fitted = lightgbm.train(parameters, data, job["rounds"])


def as_float32(text):
    """Thresholds are middles of two values, in float64. The largest float32 not above one parts float32 rows alike."""

    def floor(number):
        wide = float(number)
        narrow = numpy.float32(wide)
        if float(narrow) > wide:
            narrow = numpy.nextafter(narrow, numpy.float32(-numpy.inf))
        return repr(float(narrow))

    line = re.compile(r"^threshold=(.*)$", re.MULTILINE)
    # Sizes of the trees in bytes, which are others now; LightGBM reads a model without them too.
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
    return line.sub(lambda found: "threshold=" + " ".join(map(floor, found[1].split())), text)


model = lightgbm.Booster(model_str=as_float32(fitted.model_to_string()))
file = onnxmltools.convert_lightgbm(
    model, initial_types=[("rows", FloatTensorType([None, width]))], target_opset=13, zipmap=False
)
(folder / "model.onnx").write_bytes(file.SerializeToString())
score = model.predict(values, raw_score=True, num_threads=parameters.get("num_threads", 0))
score.astype("<f8").tofile(folder / "predictions.f64")
(folder / "versions.json").write_text(json.dumps({"lightgbm": lightgbm.__version__, "onnxmltools": onnxmltools.__version__}))
