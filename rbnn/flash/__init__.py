"""Writing firmware and provisioning partition: into a folder, or to a chip through OpenOCD."""
