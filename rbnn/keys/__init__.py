"""Keys: the host's PUF model, user and provider keys, licences, provisioning, the registry."""
