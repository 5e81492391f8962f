"""Values that try to be more than a name."""

import json
import pathlib

SHARED = pathlib.Path(__file__).resolve().parents[3] / \
    "shared/data/hostile-names.json"

OWN = {
    "element": "<b>bold</b><img src=x onerror=alert(1)>",
    "foreign picture": "<img src=//203.0.113.7/x.png>",
    "ends": "</title></style></script></pre></svg></td><script>alert(1)"
            "</script>",
    "comment": "<!-- --><!--",
    "cdata": "]]><![CDATA[",
    "attributes": "\" onload=\"alert(1)\" x='",
    "svg": "<svg onload=alert(1)><a href='javascript:alert(1)'>",
    "entities": "&lt;b&gt;&amp;&#60;&nbsp;",
    "style": "}*{display:none}@import url(//203.0.113.7/x.css);",
    "base": "<base href=//203.0.113.7/><meta http-equiv=refresh "
            "content='0;url=//203.0.113.7/'>",
    "kql": "x\"]); AuditLogs | take 1 //",
    "kql escape": "x\\\"]); print 1 //",
    "powershell": "x'; Remove-Item -Recurse C:\\ ; '",
    "curly quotes": "x\u2019; calc; \u2018",
    "markdown": "`code` ``more`` ``` [x](//203.0.113.7) **b** # head\n- item",
    "fence": "```\n# out of it",
    "line ends": "one\r\ntwo\u2028three\u0085four\nfive",
    "direction": "\u202etxt.exe\u202c\u2066x",
    "control": "a\x1b[2J\x07\x00b",
    "hidden": "in\u200bvi\u00adsible\ufeff",
    "format": "%s%n{{x}}${x}$(x)",
    "combining": "e" + "\u0301" * 200,
    "long": "W" * 3000,
    "words": "two  blanks and\ttabs",
}


def values():
    """Give names and values: our own, and the shared ones if they are there.
    """
    found = dict(OWN)
    if SHARED.exists():
        found.update({f"shared {name}": value for name, value in json.loads(
            SHARED.read_text(encoding="utf-8")).items()})
    return found
