"""Networks of the user's own in Python and JSON: both forms, their shapes, and every refusal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rbnn.container.plan import plan
from rbnn.nets.architectures import lay_out
from rbnn.nets.errors import NetworkError
from rbnn.nets.own.file import OwnNetwork, find_network, read_network
from rbnn.nets.own.stored import StoredNetwork
from rbnn.nets.padding import pad
from rbnn.nets.topology import Topology
from rbnn.spec import operators
from rbnn.spec.layout import Activation, Output, Sign, Stage

RESNET = """
def network(net):
    x = net.stem(64, pool=2, stream=True)
    for stage in range(2):
        for number in range(3):
            stride = 2 if stage and not number else 1
            x = net.conv(x, 64 << stage, stride=stride, shortcut=x)
    net.dense(net.average_pool(x))
"""
JSON = [
    {"op": "stem", "filters": 32, "pool": 2, "stream": True, "name": "begin"},
    {"op": "conv", "filters": 32, "shortcut": "begin", "activation": "rprelu", "name": "one"},
    {"op": "conv", "filters": 64, "stride": 2, "shortcut": "one", "sign": "thresholds"},
    {"op": "max_pool"},
    {"op": "dense"},
]


def written(folder: Path, text: object, name: str = "mine") -> OwnNetwork:
    """The network of a file: Python for text, JSON for a list of layers."""
    path = folder / f"{name}.{'py' if isinstance(text, str) else 'json'}"
    path.write_text(text if isinstance(text, str) else json.dumps({"layers": text}))
    return read_network(path)


def test_a_python_file_lays_out_the_resnet_that_rbnn_has(tmp_path: Path) -> None:
    found = written(tmp_path, RESNET).topology((32, 32, 3), 10)
    expected = lay_out("resnet", (32, 32, 3), 10)
    assert found.architecture == "mine"
    assert found.layers == expected.layers


def test_a_json_file_gives_the_same_network_as_python(tmp_path: Path) -> None:
    text = """
def network(net):
    begin = net.stem(32, pool=2, stream=True)
    one = net.conv(begin, 32, shortcut=begin, activation="rprelu")
    x = net.conv(one, 64, stride=2, shortcut=one, sign="thresholds")
    net.dense(net.max_pool(x))
"""
    python = written(tmp_path, text).topology((32, 32, 3), 7)
    assert written(tmp_path, JSON).topology((32, 32, 3), 7) == python
    names = [layer.op.name for layer in python.layers]
    assert names == ["stem", "conv", "average_pool", "conv", "max_pool", "dense"]
    assert [layer.out_shape for layer in python.layers] == [
        (16, 16, 32), (16, 16, 32), (8, 8, 32), (8, 8, 64), (4, 4, 64), (1, 1, 7)
    ]  # fmt: skip
    bent = python.layers[3]
    assert (bent.shortcut, bent.stage, bent.sign) == (2, Stage.RESIDUAL, Sign.THRESHOLDS)
    assert bent.output == Output.BITS  # nothing reads its stream
    assert python.layers[1].activation is Activation.RPRELU
    plan(pad(python).topology)


def test_the_file_sees_the_input_and_the_classes(tmp_path: Path) -> None:
    text = (
        "def network(net):\n    net.dense(net.stem(net.input_shape[2] * 8 + net.classes, pool=2))\n"
    )
    layers = written(tmp_path, text).topology((32, 32, 3), 10).layers
    assert [layer.out_shape for layer in layers] == [(16, 16, 34), (1, 1, 10)]


def test_what_a_run_stores_is_the_whole_network(tmp_path: Path) -> None:
    found = written(tmp_path, JSON).topology((32, 32, 3), 7)
    stored = StoredNetwork.of(found, "mine.json")
    again = StoredNetwork.model_validate_json(stored.model_dump_json())
    assert again == stored
    assert again.topology(7) == found
    assert again.topology(4).layers[-1].out_shape == (1, 1, 4)
    document = json.loads(stored.model_dump_json())
    document["layers"][1]["kernel"] = 9
    with pytest.raises(ValueError, match="window of 9x9"):
        StoredNetwork.model_validate(document)


def test_ends_may_have_8_bits(tmp_path: Path) -> None:
    found = written(tmp_path, JSON).topology((32, 32, 3), 7).with_own_weights(True, True)
    assert [found.layers[0].op, found.layers[-1].op] == [operators.STEM8, operators.DENSE8]
    small = written(tmp_path, [JSON[0], {"op": "dense"}]).topology((32, 32, 3), 7)
    with pytest.raises(Exception, match="No layer of mine has binary weights"):
        small.with_own_weights(True, True)


BODY = "def network(net):\n    x = net.stem(32, pool=2)\n"


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        ("x = net.conv(x, 32, kernel=9)", "window of 9x9; the device's kernels take", "is 7"),
        ("x = net.conv(x, 32, kernel=17, pad=0)", "larger than its input of 16x16", "is 7"),
        ("x = net.conv(x, 32, kernel=3, pad=3)", "stride 1 and padding 3", "padding is 2"),
        ("x = net.conv(x, 32, stride=0)", "stride must be a whole number, 1 or more", "stride=3"),
        ("x = net.conv(x, '64')", "filters must be a whole number, 1 or more", "filters=3"),
        ("x = net.conv(x, 70000)", "70016 channels; the device's kernels take", "65504"),
        ("x = net.conv(x, 32, shortcut=x)", "The shortcut of conv reads a stream;", "stream=True"),
        ("x = net.conv(32, 32)", "conv reads int that is no layer", "x = net.stem(32)"),
        ("x = net.conv(x, 32, activation='relu')", "Unknown activation 'relu'", "none, rprelu"),
        ("x = net.conv(x, 32, sign='rsign')", "Unknown sign 'rsign'", "zero, thresholds"),
        ("x = net.conv(x, 32, sign='thresholds', stream=False)", "stream is false", "Leave stream"),
        ("x = net.average_pool(x, 2)", "average_pool reads a stream; Layer 0 (stem)", "True"),
        ("x = net.max_pool(x, 8)", "window of 8x8", "The nearest is 7"),
        ("x = net.stem(32)", "one stem, its first layer", "Use conv"),
        ("x = net.dense(x, reads='values')", "dense reads 'values'", "bits or stream"),
        ("x = net.dense(x, reads='stream')", "dense reads a stream; Layer 0", "stream=True"),
        ("x = net.dense(x); net.max_pool(x)", "max_pool reads bits; Layer 1", "a stem, a conv"),
        ("y = net.dense(x); x = net.conv(x, 32)", "The dense layer is the last one", "in front"),
        ("for _ in range(80): x = net.conv(x, 32)", "more than 64 layers", "Leave layers out"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero", "Correct the file"),
        ("raise SystemExit(3)", "SystemExit: 3", "Correct the file"),
        (f"x = net.conv(x, {10**30})", "Layer 1 (conv) has 1000000", "The nearest is 65504"),
        ("x = net.conv(x, 10**11)", "Layer 1 (conv) has 100000000000 channels", "65504"),
        ("x = net.conv(x, 5 * 10**8)", "Layer 1 (conv) has 500000000 channels", "65504"),
        ("x = net.conv(x, 32, activation=['rprelu'])", "Unknown activation ['rprelu']", "rprelu"),
        ("x = net.conv(x, 32, activation='')", "Unknown activation ''", "none, rprelu"),
        ("x = net.conv(x, 32, activation=0)", "Unknown activation 0", "none, rprelu"),
        ("x = net.conv(x, 32, sign='')", "Unknown sign ''", "zero, thresholds"),
        ("x = net.conv(x, 32, stream='no')", "stream must be true or false", "stream=True"),
        ("x = net.conv(x, 32.0)", "filters must be a whole number", "filters=3"),
        ("x = net.max_pool(x, '2')", "window must be a whole number, 1 or more", "window=2"),
        ("x = net.max_pool(x, 2, stride=999)", "has a stride of 999; it must be", "nearest is 255"),
        ("x = net.conv(x, 32, pad=-1)", "pad must be a whole number, 0 or more", "pad=1"),
        ("x = net.max_pool(x, 2, stride=0)", "stride must be a whole number", "stride=3"),
        ("x = net.convolve(x)", "AttributeError", "Correct the file"),
        ("x = net.conv(x, 32, filter=3)", "TypeError", "Correct the file"),
    ],
)
def test_a_python_file_is_refused_with_its_line_the_rule_and_what_fits(
    tmp_path: Path, line: str, what: str, fix: str
) -> None:
    own = written(tmp_path, f"{BODY}    {line}\n")
    with pytest.raises(NetworkError) as caught:
        own.topology((32, 32, 3), 10)
    assert caught.value.what.startswith("mine.py, line 3: ")
    assert what in caught.value.what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("pool", "what", "fix"),
    [
        ("33", "stem has a pool of 33x33, larger than its sums of 32x32 pixels", "pool=2"),
        ("8", "fused pool of 8x8; the device's kernels take sides from 1 to", "The nearest is 2"),
        ("'2'", "pool must be a whole number, 1 or more", "pool=2"),
    ],
)
def test_a_pool_that_does_not_fit_says_which_does(
    tmp_path: Path, pool: str, what: str, fix: str
) -> None:
    own = written(tmp_path, f"def network(net):\n    net.dense(net.stem(32, pool={pool}))\n")
    with pytest.raises(NetworkError) as caught:
        own.topology((32, 32, 3), 10)
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path: Path) -> None:
    text = (
        "import numpy as np\n\n\ndef network(net):\n"
        "    net.dense(net.stem(np.int64(32), np.int8(3), pool=np.uint8(2)))\n"
    )
    plain = "def network(net):\n    net.dense(net.stem(32, 3, pool=2))\n"
    found = written(tmp_path, text).topology((32, 32, 3), 10)
    assert found == written(tmp_path, plain).topology((32, 32, 3), 10)
    assert type(found.layers[0].out_shape[2]) is int


def test_a_stored_network_of_a_size_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    stored = StoredNetwork.of(written(tmp_path, JSON).topology((32, 32, 3), 7), "mine.json")
    document = json.loads(stored.model_dump_json())
    document["layers"][-2]["output"] = document["layers"][-1]["input"] = [4, 4, 10**11]
    with pytest.raises(ValueError, match="no network of this version"):
        StoredNetwork.model_validate(document)
    document["layers"][0]["output"] = [16, 16, 10**11]
    with pytest.raises(ValueError, match="no network of this version"):
        StoredNetwork.model_validate(document)


RESIDUAL = "def network(net):\n    x = net.stem(48, pool=2, stream=True)\n"


@pytest.mark.parametrize(
    ("lines", "place", "what"),
    [
        ("y = net.conv(x, 64, shortcut=x)", 3, "has 48, and can only be repeated"),
        ("y = net.conv(x, 48, pad=0, shortcut=x)", 3, "The shortcut has 16x16 pixels, conv gives"),
        ("y = net.conv(x, 48, stride=3, shortcut=x)", 3, "averaged over windows"),
        ("y = net.average_pool(x, 3)", 3, "its side must be a power of two"),
        ("y = net.conv(x, 32)\n    net.dense(x)", 3, "Layer 1 (conv) is read by no layer"),
        ("y = net.average_pool(x, 2)\n    net.conv(y, 32)", 4, "conv reads bits; Layer 1"),
        ("y = net.conv(x, 2000)\n    net.conv(y, 32, kernel=7)", 4, "sums do not fit"),
    ],
)
def test_shapes_that_do_not_match_are_refused_with_their_line(
    tmp_path: Path, lines: str, place: int, what: str
) -> None:
    own = written(tmp_path, f"{RESIDUAL}    {lines}\n")
    with pytest.raises(NetworkError) as caught:
        own.topology((32, 32, 3), 10)
    assert caught.value.what.startswith(f"mine.py, line {place}: ")
    assert what in caught.value.what
    assert caught.value.fix


def test_a_line_is_named_where_a_function_of_the_file_stands(tmp_path: Path) -> None:
    text = "def block(net, x):\n    return net.conv(x, 32, kernel=9)\n\n\n"
    own = written(tmp_path, f"{text}{BODY}    block(net, x)\n")
    with pytest.raises(NetworkError, match=r"mine\.py, line 2: Layer 1"):
        own.topology((32, 32, 3), 10)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("def network(net:\n    pass\n", "mine.py, line 1: '(' was never closed."),
        ("import nothing_of_that_name\n", "mine.py, line 1: ModuleNotFoundError"),
        ("x = 1\n", "mine.py has no function network."),
        ("def network(net):\n    pass\n", "mine.py: The network has no last layer."),
        (BODY, "mine.py: The network has no last layer."),
    ],
)
def test_a_file_that_describes_no_network_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(NetworkError) as caught:
        written(tmp_path, text).topology((32, 32, 3), 10)
    assert what in caught.value.what


@pytest.mark.parametrize(
    ("layers", "what", "fix"),
    [
        ([{"op": "conv", "filters": 32}], "layers[0]: the first layer is a conv", "a stem"),
        ([{"op": "lstm"}], "layers[0]: Input tag 'lstm'", "op is one of stem, conv"),
        ([{"filters": 32}], "layers[0]: Unable to extract tag", "op is one of"),
        ([{"op": "stem", "filters": "32"}], "layers[0]: filters: Input should be", "pool"),
        ([{"op": "stem", "filters": 32, "width": 3}], "layers[0]: width: Extra inputs", "members"),
        ([JSON[0], {"op": "conv", "filters": 32, "input": "x", "name": "y"}],
         'layers[1] "y": no layer before it has the name \'x\'', "begin"),
        ([JSON[0], {"op": "conv", "filters": 32, "name": "begin"}, {"op": "dense"}],
         'layers[1] "begin": two layers have the name', "Rename"),
        ([JSON[0], {"op": "conv", "filters": 32, "kernel": 9, "name": "y"}, {"op": "dense"}],
         'layers[1] "y": Layer 1 (conv) has a window of 9x9', "The nearest is 7"),
        ([{"op": "stem", "filters": 32, "activation": ""}, {"op": "dense"}],
         "layers[0]: Unknown activation ''", "none, rprelu"),
        ([{"op": "stem", "filters": 32, "name": "a\x1b[2J"}, {"op": "dense"}],
         "layers[0]: name: Value error, a name has letters that can be printed", "members"),
        ([{"op": "stem", "filters": 10**30}, {"op": "dense"}], "layers[0]: Layer 0", "65504"),
        ([{"op": "stem", "filters": 32, "pool": 33}, {"op": "dense"}],
         "layers[0]: stem has a pool of 33x33", "pool=2"),
        ([{"op": "stem", "filters": 32}, {"op": "max_pool", "window": 0}, {"op": "dense"}],
         "layers[1]: window must be a whole number", "window=2"),
        ([], "layers: Tuple should have at least 1 item", "docs/own-networks.md"),
    ],
)  # fmt: skip
def test_a_json_file_is_refused_with_its_layer(
    tmp_path: Path, layers: list[object], what: str, fix: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        written(tmp_path, layers).topology((32, 32, 3), 10)
    assert caught.value.what.startswith("mine.json")
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_names_and_missing_files(tmp_path: Path) -> None:
    assert find_network("resnet") is None
    for name, what in (
        ("a_name_of_more_than_15.py", "cannot name a network"),
        ("my net.json", "cannot name a network"),
        ("resnet.py", "the name of rbnn's own resnet"),
        ("nothing.py", "Cannot read the network"),
    ):
        with pytest.raises(NetworkError, match=what):
            find_network(str(tmp_path / name))
    (tmp_path / "mine.json").write_text("{")
    with pytest.raises(NetworkError, match=r"mine.json: Invalid JSON: .* line 1"):
        read_network(tmp_path / "mine.json")
    with pytest.raises(
        Exception, match=r"only rbnn train and rbnn nets take a network of your own"
    ):
        lay_out("mine.py", (32, 32, 3), 10)


def test_what_a_file_prints_does_not_reach_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "print('loaded')\n" + RESNET.replace(
        "    net.dense", "    print('built')\n    net.dense"
    )
    found: Topology = written(tmp_path, text).topology((32, 32, 3), 10)
    assert found.layers
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.split() == ["loaded", "built"]
    assert not list(tmp_path.glob("__pycache__"))
