"""The site: Sphinx and MyST-NB over the executed notebooks. `make docs` builds it into build/site.

`notebooks` and `labs` are links to the folders of the repository, so that links between pages work in both places.
"""

from __future__ import annotations

import sys
from pathlib import Path

from labsupport.views.assets import site_assets
from labsupport.views.palette import LEADER

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "kafka-lab"
author = "the kafka-lab authors"
copyright = "the kafka-lab authors. Prose: CC BY 4.0, code: Apache-2.0"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "backends_page",
    "claims_page",
    "decisions",
    "docstrings",
    "furo_repairs",
    "linked_folders",
    "predictions",
]
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
autodoc_default_options = {"members": True, "undoc-members": True, "exclude-members": "__init__"}
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"  # what a class is made from is seldom the reader's affair
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_display_short_literal_types = True
add_module_names = False
toc_object_entries_show_parents = "hide"

LINKS_ON_DARK = "#56B4E9"  # of the same set: the blue of light pages is too dark to read there

html_theme = "furo"
html_title = "kafka-lab"
replay_scripts, replay_styles = site_assets()
html_static_path = ["static", *map(str, [*replay_scripts, *replay_styles])]
html_css_files = [*(style.name for style in replay_styles), "site.css"]
scripts = [*(script.name for script in replay_scripts), "opened_from_file.js", "scrolling.js"]
html_js_files = [(script, {"defer": "defer"}) for script in scripts]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": LEADER, "color-brand-content": LEADER},
    "dark_css_variables": {"color-brand-primary": LINKS_ON_DARK, "color-brand-content": LINKS_ON_DARK},
}
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
