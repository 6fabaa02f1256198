"""A TensorFlow Lite model's file, checked: its operators are TensorFlow Lite's own.

TensorFlow's interpreter also runs any operator of TensorFlow that a file names as a custom one
(Flex), among them some that write files.
"""

from __future__ import annotations

from pathlib import Path

from rbnn.runs.errors import TrainingError
from rbnn.train.foreign.refusals import no_model

MARK = b"TFL3"
"""At byte 4."""


def is_lite(data: bytes) -> bool:
    """Whether a file's bytes are those of TensorFlow Lite."""
    return data[4:8] == MARK


def check_lite(data: bytes, path: Path) -> None:
    """Refuse what the interpreter would take from elsewhere.

    Args:
        data: the file.
        path: of it, for errors.

    Raises:
        TrainingError: names the operator.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    try:
        model = schema.Model.GetRootAs(data, 0)
        codes = [model.OperatorCodes(number) for number in range(model.OperatorCodesLength())]
        found = [
            (max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), code.CustomCode())
            for code in codes
        ]
        elsewhere = model.ExternalBuffersLength() + model.ExternalBufferGroupsLength()
    except Exception as error:  # whatever a damaged file raises
        raise no_model(path, "TensorFlow Lite", error) from error
    if elsewhere:
        raise no_model(path, "TensorFlow Lite", "it takes weights from other files")
    foreign = (schema.BuiltinOperator.CUSTOM, schema.BuiltinOperator.DELEGATE)
    for builtin, custom in found:
        if builtin in foreign or custom:
            name = ascii((custom or b"delegate").decode("latin-1"))[:60]
            raise TrainingError(
                f"{path} has the operator {name}, which is not one of TensorFlow Lite's own: it "
                "could be any code, or write files.",
                "Convert the model with target_spec.supported_ops = "
                "[tf.lite.OpsSet.TFLITE_BUILTINS].",
            )
