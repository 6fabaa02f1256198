"""Writing the firmware and the provisioning partition to a folder, or to a chip through OpenOCD."""
