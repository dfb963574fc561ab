"""Builds a real 1+3 node Kubernetes cluster on one Debian machine that can pull no image; for development and CI only.

It never serves a learner (their kind pulls kind's published node image), and nothing in `labsupport` imports it. Start
with `__main__.py`: the list of steps there is the whole story, and each step lives in the module that bears its name.
"""
