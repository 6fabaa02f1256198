"""Keys: fingerprint model and sketch, user and provider keys, licences, provisioning, registry."""
