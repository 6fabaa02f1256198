"""All files of a library.

::

    DIR/
        README.md, LICENSE
        CMakeLists.txt, sources.cmake            CMake
        library.json                             PlatformIO
        zephyr/                                  Zephyr: module.yml, CMakeLists.txt, Kconfig
        library.properties                       Arduino
        src/NAME.h                               the public header
        src/NAME.c, src/NAME_status.c            what is behind it
        src/NAME/<folder>/...                    the firmware's sources
        src/NAME/model/                          the model, as rbnn export writes it
        src/NAME/monocypher/                     Monocypher's two files and its licence
        examples/bare_metal/, examples/workstation/
        rbnn-library.json                        names and digests of all these files
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from rbnn import __version__
from rbnn.container.container import Container
from rbnn.engine.compile import FIRMWARE
from rbnn.export.carray import (
    CONFIG_FILE,
    FEATURES_FILE,
    IMAGE_FILE,
    KERNELS_FILE,
    config_header,
    features_header,
    image_source,
    kernels_source,
)
from rbnn.export.export import NO_PROVIDER
from rbnn.library.describe import values
from rbnn.library.errors import LibraryError
from rbnn.library.folder import check_folder, write_folder
from rbnn.library.names import Names
from rbnn.library.sources import adapt, firmware_sources, monocypher_sources

_FOLDER = Path(__file__).parent / "templates"
_TEMPLATES = {
    "README.md": "README.md.j2",
    "CMakeLists.txt": "CMakeLists.txt.j2",
    "library.json": "library.json.j2",
    "library.properties": "library.properties.j2",
    "zephyr/module.yml": "module.yml.j2",
    "zephyr/CMakeLists.txt": "zephyr.cmake.j2",
    "zephyr/Kconfig": "Kconfig.j2",
    "examples/bare_metal/main.c": "bare_metal.c.j2",
    "examples/bare_metal/port.h": "port.h.j2",
    "examples/bare_metal/port_stub.c": "port_stub.c.j2",
    "examples/workstation/workstation.c": "workstation.c.j2",
}


def write_library(container: Container, folder: Path, names: Names) -> None:
    """Write a model's library, whole or not at all.

    Args:
        container: the model.
        folder: is made; or holds nothing, or nothing but an earlier library.
        names: its prefix.

    Raises:
        RbnnError: the model cannot be licensed, the folder holds something else, or it cannot be
            written; then nothing has changed.
    """
    require_provider(container.provider_public)
    check_folder(folder)
    write_folder(folder, library_files(container, names))


def require_provider(provider_public: bytes) -> None:
    """Refuse a model that nobody can issue licences for.

    Raises:
        LibraryError: it has no provider.
    """
    if provider_public == NO_PROVIDER:
        raise LibraryError(
            "The model has no licence provider, so no task of the library would ever open.",
            "Make a provider's key: rbnn keys new provider keys/provider.pem",
        )


def library_files(container: Container, names: Names) -> dict[str, str]:
    """Text of every file of a library, by path.

    Args:
        container: the model.
        names: the library's prefix.

    Raises:
        LibraryError: sources are missing.
    """
    package = names.package
    sources = {
        **firmware_sources(names, takes_sound=container.takes_sound),
        **monocypher_sources(names),
        **_model(container, names),
    }
    files = {f"src/{package}/{place}": text for place, text in sources.items()}
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: names.apply((_FOLDER / name).read_text())),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    known = {**values(container), "package": package, "version": __version__}

    def render(template: str) -> str:
        # The prefix is in the template already: what the model is called stays as it is.
        return environment.get_template(template).render(known)

    files[f"src/{package}.h"] = render("api.h.j2")
    files[f"src/{package}.c"] = render("api.c.j2")
    files[f"src/{package}_status.c"] = render("status.c.j2")
    known["sources"] = sorted(path for path in files if path.endswith((".c", ".S")))
    files["sources.cmake"] = render("sources.cmake.j2")
    files.update({path: render(template) for path, template in _TEMPLATES.items()})
    files["LICENSE"] = (FIRMWARE.parent / "LICENSE").read_text()
    return dict(sorted(files.items()))


def _model(container: Container, names: Names) -> dict[str, str]:
    texts = {
        IMAGE_FILE: image_source(container),
        KERNELS_FILE: kernels_source(container.topology),
        FEATURES_FILE: features_header(
            container.topology, len(container.tasks), takes_series=container.takes_series
        ),
        CONFIG_FILE: config_header(container),
    }
    return dict(adapt(f"model/{name}", text, names) for name, text in texts.items())
