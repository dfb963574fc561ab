"""The local backend: JVM processes on loopback, data in a private temporary folder, no root and no Docker."""
