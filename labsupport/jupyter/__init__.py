"""JupyterLab as the lab wants it: on loopback, with folders of its own, ended by one Ctrl-C with all it started.

It may use every other room, and no room uses it. Start with `lab.main`, which `make lab` calls.
"""
