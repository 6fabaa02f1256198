"""What those wait for who only use rbnn: installing it, and each command."""
