"""From C sources and a model to an image that fits its board: manifests, build, size report."""
