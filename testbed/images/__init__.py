"""Images without a registry: the writer of archives (`archive.py`) and what is in each image (`components.py`)."""
