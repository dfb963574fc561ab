"""Forty records that want to break out: for every place where text of a record, a client or a group is shown.

Use `PAYLOADS` as keys, values, headers, ids of groups and clients; Kafka itself allows a topic's name only letters,
digits, `.`, `_` and `-`, but a Recording may say anything. `WATCH` goes into a page before anything else (Playwright's
`add_init_script`); `troubles(page)` then says what a payload achieved there. `END` goes at the end of the page: it must
still be there. `canary(payload)` is a page, with two ends, that escapes nothing: on it every payload must achieve
something, or the detector sees nothing anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MEGABYTE = 1_000_000
GROUP_LIMIT_BYTES = 32_767  # of a string in Kafka's protocol


@dataclass(frozen=True)
class Payload:
    """`content` as it stands in a record; `name` says what it tries."""

    name: str
    content: bytes

    @property
    def text(self) -> str:
        """As our clients decode it: a byte that is no UTF-8 becomes its number."""
        return self.content.decode("utf-8", "backslashreplace")

    @property
    def id(self) -> str:
        """As the id of a group or a client: text of at most 32,767 bytes."""
        return self.text.encode()[:GROUP_LIMIT_BYTES].decode("utf-8", "ignore")


def _text(name: str, text: str) -> Payload:
    return Payload(name, text.encode("utf-8", "surrogatepass"))


_MARK = "<i data-hostile>x</i>"
PAYLOADS: tuple[Payload, ...] = (
    _text("script", "<script>pwn('script')</script>"),
    _text("script in capitals", "<SCRIPT>pwn('capitals')</SCRIPT>"),
    _text("script that never ends", "<script>pwn('endless')"),
    _text("script in a script", "<scr<script>ipt>pwn('nested')</scr</script>ipt>" + _MARK),
    _text("script of another origin", "<script src='https://example.org/x.js' data-hostile></script>"),
    _text("module", "<script type='module' data-hostile>pwn('module')</script>"),
    _text("image that fails", "<img src=x onerror=pwn('img') data-hostile>"),
    _text("image without quotes or spaces", "<img/src=x/onerror=pwn('slashes')/data-hostile>"),
    _text("svg", "<svg onload=pwn('svg') data-hostile></svg>"),
    _text("svg script", "<svg><script>pwn('svgscript')</script></svg>"),
    _text("svg animation", "<svg><animate onbegin=pwn('animate') attributeName=x dur=1s data-hostile></svg>"),
    _text("foreign object", "<svg><foreignObject><iframe srcdoc='x' data-hostile></iframe></foreignObject></svg>"),
    _text("frame", "<iframe src=\"javascript:parent.pwn('frame')\" data-hostile></iframe>"),
    _text("frame with a document", "<iframe srcdoc=\"<script>parent.pwn('srcdoc')</script>\" data-hostile></iframe>"),
    _text("link", "<a href=\"javascript:pwn('link')\" data-hostile>look</a>"),
    _text("link hidden by a tab", "<a href=\"java\tscript:pwn('tab')\" data-hostile>look</a>"),
    _text("plain javascript address", "javascript:pwn('address')"),
    _text("data address", "<a href=\"data:text/html,<script>pwn('data')</script>\" data-hostile>look</a>"),
    _text("out of double quotes", '" autofocus onfocus=pwn(1) data-hostile x="'),
    _text("out of single quotes", "' autofocus onfocus=pwn(2) data-hostile x='"),
    _text("out of an unquoted attribute", "x onmouseover=pwn(3) data-hostile"),
    _text("out of a style", "</style><style>body{outline-color:rgb(1,2,3)}</style>" + _MARK),
    _text("into a style", "*/ body{outline-color:rgb(1,2,3)} /*"),
    _text("out of a title", "</title><script>pwn('title')</script>" + _MARK),
    _text("out of a text area", "</textarea>" + _MARK),
    _text("out of a comment", "--><script>pwn('comment')</script><!--"),
    _text("out of JSON in a script", "\"}</script><script>pwn('json')</script>" + _MARK),
    _text("comment in a script", '<!--<script>"' + _MARK),
    _text("out of a JavaScript text", "\";pwn('text');\""),
    _text("out of a template text", "${pwn('template')}`+pwn('backquote')+`"),
    _text("base and meta", "<base href='https://example.org/' data-hostile><meta http-equiv=refresh content='600'>"),
    _text("closing the page", "</svg></g></div></section></table></body></html>" + _MARK),
    _text("entities that decode once more", "&lt;img src=x onerror=pwn('entity')&gt;" + _MARK),
    _text("text that runs backwards", "\u202egnp.exe\u202c \u2066\u2067abc\u2069"),
    _text("words that overlap", "z\u0335\u0336\u0337\u0338" * 3 + "\u200b\u200d\ufeff" + "\u2028\u2029"),
    _text("one long word", "W" * 5000),
    _text("terminal", "\x1b]0;owned\x07\x1b[31mred\x1b[2J\x9b31m\r\n\x08\x08"),
    Payload("zero bytes", b"a\x00b\x00\x00<i data-hostile>x</i>"),
    Payload("broken UTF-8", b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80ok"),
    Payload("ten megabytes", b"<i data-hostile>" + b"A" * (10 * MEGABYTE)),
)

WATCH = """window.pwned = []; window.pwn = (what) => { window.pwned.push(String(what)); };
for (const ask of ["alert", "confirm", "prompt"]) window[ask] = () => window.pwn(ask);"""

END = "<p data-the-end>the end</p>"

_LOOK = r"""([most, ends]) => {
  const found = [];
  if ((window.pwned ?? []).length) found.push(`script ran: ${window.pwned.join(", ")}`);
  if (document.querySelector("[data-hostile], base, meta[http-equiv=refresh]")) found.push("foreign element");
  if ([...document.links].some((link) => /^\s*(javascript|data):/i.test(link.href))) found.push("link that runs");
  if (getComputedStyle(document.body).outlineColor === "rgb(1, 2, 3)") found.push("foreign style");
  if (document.documentElement.scrollWidth > window.innerWidth) found.push("wider than the window");
  if (document.querySelectorAll("[data-the-end]").length !== ends) found.push("cut off");
  const shown = document.body.innerText;
  const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]/;
  if (steering.test(shown)) found.push("steering characters");
  if (shown.length > most) found.push("swollen");
  return found;
}"""


def troubles(page: Any, *, most: int = 200_000, ends: int = 0) -> list[str]:
    """What payloads achieved in a page; nothing, if it is well.

    `most` characters are as many as it may show; `ends` is how often it has `END`.
    """
    found: list[str] = page.evaluate(_LOOK, [most, ends])
    return found


def canary(payload: Payload) -> str:
    """A page that puts a payload, as it is, wherever text can stand: what ours would be if nothing were escaped."""
    text = payload.content.decode("utf-8", "replace")  # as a careless client does
    if len(text) > MEGABYTE:
        return f"<!doctype html><body><p>{text}</p>{END}{END}"
    return f"""<!doctype html><meta charset="utf-8"><title>{text}</title>
<style>/* {text} */</style>
<body><p>{text}</p>
{END}
<p title="{text}">double</p> <p title='{text}'>single</p> <p title={text}>none</p>
<a href="{text}">link</a>
<script type="application/json">{{"text": "{text}"}}</script>
<script>const said = "{text}";</script>
<script>const template = `{text}`;</script>
{END}</body>"""
