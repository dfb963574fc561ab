// A page opened from a file may not read its neighbours: search then shows titles, without excerpts.
"use strict";

if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
