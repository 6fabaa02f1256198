"""MNIST and Fashion-MNIST, 60,000 / 10,000 grey images of 28x28 pixels each.

Sources: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86(11), 1998; files as kept by the Common Visual Data Foundation, since
the authors' page no longer serves them. H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST",
arXiv 1708.07747. Digests and sizes are those that TensorFlow Datasets records for these files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rbnn.tasks.cache import Decoded
from rbnn.tasks.dataset import Split
from rbnn.tasks.download import Remote
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import USUAL, Sides
from rbnn.tasks.sets.idx import DAMAGE, read_images, read_labels
from rbnn.tasks.sets.published import Published, Reader

Progress = Callable[[str, int, int], None]
LABELS = tuple("0123456789")
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _reader(title: str) -> Reader:
    def read_archives(
        paths: Sequence[Path], progress: Progress | None = None, sides: Sides = USUAL
    ) -> Decoded:
        """Decode the four files of ``FILES``, in that order."""
        splits = []
        for images, labels in (paths[:2], paths[2:]):
            path = images
            try:
                decoded = read_images(images.read_bytes(), title, progress, sides)
                path = labels
                splits.append(Split(decoded, read_labels(labels.read_bytes(), 0, len(LABELS))))
            except DAMAGE as error:
                raise TaskError(
                    f"{path} is not a file of {title}: {error}.",
                    "Delete it and run the command again.",
                ) from error
        train, test = splits
        return Decoded(LABELS, train, test, "image")

    return read_archives


def _remotes(base: str, task: str, published: Sequence[tuple[str, int]]) -> tuple[Remote, ...]:
    return tuple(
        Remote(base + file, "sha256", digest, task, size_bytes, f"{task}-{file}")
        for file, (digest, size_bytes) in zip(FILES, published, strict=True)
    )


MNIST = Published(
    _remotes(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "mnist",
        (
            ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
            ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
            ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
            ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
        ),
    ),
    "MNIST, official split, from storage.googleapis.com/cvdf-datasets",
    {"task": "mnist 1"},
    _reader("MNIST"),
)
FASHION = Published(
    _remotes(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "fashion",
        (
            ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
            ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
            ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
            ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
        ),
    ),
    "Fashion-MNIST, official split, from fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    {"task": "fashion 1"},
    _reader("Fashion-MNIST"),
)
