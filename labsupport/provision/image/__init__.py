"""The local container image of Kafka: the same JRE, jars and start-up caches as the local backend, as a build context.

It says what is in the image and writes the tar from which an engine builds it, and never speaks to an engine: that is
the docker backend's affair (`cluster/docker/images.py`). Start with `write_context`.
"""

from labsupport.provision.image.context import AOT_FOLDER, write_context
from labsupport.provision.image.inputs import AOT_LABEL, INPUTS_LABEL, inputs_key, labels, local_tag

__all__ = ["AOT_FOLDER", "AOT_LABEL", "INPUTS_LABEL", "inputs_key", "labels", "local_tag", "write_context"]
