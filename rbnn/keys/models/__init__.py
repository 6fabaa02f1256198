"""What a provider signs: models for a device's partition."""
