"""From C sources and a model to an image that fits its board: board manifests, RAM plan, build,
size report, networks ranked for a board."""
