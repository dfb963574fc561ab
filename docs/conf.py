"""The site: Sphinx and MyST-NB over the executed notebooks. `make docs` builds it into build/site.

`notebooks` and `labs` are links to the folders of the repository, so that links between pages work in both places.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "kafka-lab"
author = "the kafka-lab authors"
copyright = "the kafka-lab authors. Prose: CC BY 4.0, code: Apache-2.0"
extensions = ["myst_nb", "sphinx.ext.autodoc", "claims_page", "decisions", "furo_repairs", "predictions"]
exclude_patterns = ["**/.ipynb_checkpoints", "evidence", "extensions", "labs/*/wrong"]

# Pages: nbval has just run them, so they are shown as they are.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # else widgets are fetched from elsewhere
nb_mime_priority_overrides = [
    ("html", "image/svg+xml", 0),
    ("html", "text/html", 1),
    ("html", "text/plain", 40),
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# API pages: docstrings are in the words of Markdown, where single backticks are code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_display_short_literal_types = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "kafka-lab"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("scrolling.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
