"""Puts around audit records what a collector's neighbours put there.

A container takes records and gives JSON texts; a carrier takes a JSON text and
gives a message with it inside. Each wrapping here is one of the two (with a
plain thing for the other), or any of both together. The messages are of one
line each where the style has no line breaks.

    texts = wrappings.messages("logstash", records, style)

What a row says is the same in all of them, so the rows of the query are too.
"""

import gzip
import html
import json
import lzma
import shutil
import subprocess

import rendering
from kql import MISSING
from rendering import json_text

HEADER = "<134>Jun  1 12:00:00 edge7 "


# Containers: records to JSON texts.

def _documents(kind):
    """Give the container that holds several records in a document."""
    return lambda records, style: [
        rendering.document(part, kind, style)
        for part in rendering.parts(records, style.rng)]


def _single(records, style):
    return [json_text(record, style) for record in records]


def _graph(records, style):
    context = ("https://graph.microsoft.com/v1.0/$metadata"
               "#auditLogs/directoryAudits")
    return [json_text({"@odata.context": context, "value": part}, style)
            for part in rendering.parts(records, style.rng)]


def _several(records, style):
    """Write several documents one behind the other in a text."""
    gaps = ("", " ", "\n", "\r\n") if style.has_line_breaks else ("", " ")
    return [style.rng.choice(gaps).join(part) for part in
            rendering.parts(_payloads(records, style), style.rng)]


def _payloads(records, style):
    """Write records as what others put their own wrapping around."""
    return style.rng.choice((_single, _documents("records")))(records, style)


def _tables(records, style):
    """Write rows as the query API does: positional, dynamic ones as text."""
    return [json_text({"tables": [_table(part, style)]}, style)
            for part in rendering.parts(records, style.rng, longest=20)]


_DYNAMIC = ("InitiatedBy", "TargetResources", "AdditionalDetails")


def _table(records, style):
    names = sorted({name for record in records for name in record})
    style.rng.shuffle(names)
    typed = style.rng.random() < 0.5
    return {
        "name": "PrimaryResult",
        "columns": [_column(name, typed) for name in names],
        "rows": [[_cell(name, record.get(name), style) for name in names]
                 for record in records],
    }


def _column(name, typed):
    kind = "dynamic" if name in _DYNAMIC else \
        "datetime" if name == "TimeGenerated" else "string"
    return {"name": name, "type": kind} if typed else {"name": name}


def _cell(name, value, style):
    dynamic = name in _DYNAMIC and value is not None
    return json_text(value, style) if dynamic else value


def fit_for_tables(rows):
    """Give the rows that a table can carry: its columns have types."""
    return [row for row in rows if isinstance(row["OperationName"], str)
            and all(value in (None, MISSING) or isinstance(value, (dict, list))
                    for value in (row["TargetResources"],
                                  row["InitiatedBy"]))]


def _hec(records, style):
    """Write Splunk events; a time of their own is about the transport."""
    events = [json_text({"time": 1400000000.125, "host": "hf1",
                         "source": "azure", "sourcetype": "azure:monitor:aad",
                         "event": record}, style) for record in records]
    return ["".join(part) for part in rendering.parts(events, style.rng, 2)]


def _addon(records, style):
    bodies = [part[0] if len(part) == 1 else {"records": part}
              for part in rendering.parts(records, style.rng, 3)]
    return [json_text({"body": body, "x-opt-sequence-number": 17,
                       "x-opt-offset": "4294967296",
                       "x-opt-enqueued-time": 1400000000125}, style)
            for body in bodies]


def _logstash(records, style):
    return [_in_strings(text, style) for text in _payloads(records, style)]


def _in_strings(text, style):
    """Put a text into one to three strings, each in another."""
    for _ in range(style.rng.randint(1, 3)):
        event = {"@timestamp": "2014-05-13T16:53:20.125Z", "@version": "1",
                 "host": {"name": "logstash1"}, "tags": ["azure"]}
        original = style.rng.random() < 0.5
        event |= {"event": {"original": text}} if original \
            else {"message": text}
        text = json_text(event, style)
    return text


def _cribl_raw(records, style):
    return [json_text({"_time": 1400000000.125, "source": "azure:eventhub",
                       "_raw": text, "cribl_pipe": "entra"}, style)
            for text in _payloads(records, style)]


def _cribl_original(records, style):
    return [json_text({"_time": 1400000000.125, "cribl_data": {
        "original_message": text}}, style)
        for text in _payloads(records, style)]


CONTAINERS = {
    "records": _documents("records"),
    "array": _documents("array"),
    "single": _single,
    "several": _several,
    "graph": _graph,
    "tables": _tables,
    "hec": _hec,
    "addon": _addon,
    "logstash": _logstash,
    "cribl_raw": _cribl_raw,
    "cribl_original": _cribl_original,
}


# Carriers: a JSON text to a message.

def _tagged(text, style):
    tag = style.rng.choice(("azurefunction: ", "azurefunction[4711]: ",
                            "azurefunction:"))
    return HEADER + tag + text


def _untagged(text, style):
    return "<134>Jun  1 12:00:00 azurefunction " + text


def _rfc5424(text, style):
    elements = style.rng.choice((
        "-", "[origin@32473 ip=\"192.0.2.1\"]",
        "[a@32473 note=\"a \\] b \\\" c\"][meta sequenceId=\"29\"]"))
    mark = style.rng.choice(("", "", "\ufeff"))
    return ("<134>1 2014-05-13T16:53:20.125Z edge7 azurefunction 4711 AUDIT "
            f"{elements} {mark}{text}")


def _pri_only(text, style):
    return "<134>" + text


def _cee(text, style):
    before = style.rng.choice((HEADER + "azurefunction: ", HEADER, "<134>",
                               ""))
    return before + style.rng.choice(("@cee:", "@cee: ")) + text


def _wazuh(text, style):
    before = style.rng.choice(("", HEADER + "wazuh: "))
    return (f"{before}azure_tag: azure-storage. azure_storage_tag: audit. "
            f"{text}")


def _cef(text, style):
    """Put a text into an extension, where CEF escapes two characters."""
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    before = style.rng.choice((HEADER, HEADER + "cef: ", ""))
    first = style.rng.choice(("", "rt=1400000000125 cs1Label=a\\=b cs1=c "))
    last = style.rng.choice(("", " outcome=success", " cs2=x cs3=y\\\\z"))
    return (f"{before}CEF:0|Microsoft|Entra ID|1.0|AuditLogs|Audit \\| log|3|"
            f"{first}msg={escaped}{last}")


def _leef(text, style):
    before = style.rng.choice((HEADER, ""))
    version, delimiter = style.rng.choice((
        ("1.0", "\t"), ("2.0|^", "^"), ("2.0|0x09", "\t")))
    number, *extra = version.split("|")
    head = "|".join((number, "Microsoft", "Entra ID", "1.0", "audit", *extra))
    return f"{before}LEEF:{head}|" + delimiter.join(
        ("cat=AuditLogs", "payload=" + text, "sev=5"))


CARRIERS = {
    "syslog_with_tag": _tagged,
    "syslog_without_tag": _untagged,
    "syslog_rfc5424": _rfc5424,
    "pri_only": _pri_only,
    "cee": _cee,
    "wazuh": _wazuh,
    "cef": _cef,
    "leef": _leef,
}

# Codings: other ways to write a quote, and what stands for itself beside it.
# Letters stand as they are: of a phrase whose letters are coded no gate knows.

def _by_number(form, also):
    """Code each of these characters, and each control, by its number."""
    return lambda text: "".join(
        form % ord(one) if one in also or one < " " else one for one in text)


def _doubled(text):
    return text.replace("\\", "\\\\").replace('"', "\\x22")


CODINGS = (
    _by_number("\\x%02X", '"\\'), _by_number("\\x%02x", '"\\'), _doubled,
    _by_number("\\%03o", '"\\'), html.escape, _by_number("&#%d;", '"&'),
    _by_number("&#x%02x;", '"&<>'),
)


def _coded(text, style):
    """Write a text as writers of logs and of XML do, in one of their lines."""
    plain = json.dumps(json.loads(text), ensure_ascii=False)
    before = style.rng.choice(("", HEADER, "<134>Jun  1 12:00:00 edge7 app: ",
                               "edge7 203.0.113.7 - - POST ", "<Data>"))
    behind = style.rng.choice(("", " 200", "</Data>", ' "-" "agent"',
                               ' [1] {"a":0}'))
    coded = style.rng.choice(CODINGS)(plain)
    line = before + coded + behind
    return json_text({"message": line}, style) \
        if style.rng.random() < 0.3 else line


# Any carrier around any container that does not need a shape of its own.
ANYTHING = "anything"
ANY_SHAPE = sorted(set(CONTAINERS) - {"graph", "tables"})

CODED = "coded"

NAMES = (*CONTAINERS, *CARRIERS, ANYTHING, CODED)


def shapes_of(name):
    """Give the shapes that are met in a wrapping."""
    if name == "tables":
        return (rendering.log_analytics_row,)
    if name == "graph":
        return (rendering.directory_audit,)
    if name in ("hec", "addon"):
        return rendering.SHAPES
    return rendering.SHAPES + (rendering.elastic_document,)


def fit_for(name, shape, rows):
    """Give the rows that a shape in a wrapping can carry, as it does."""
    rows = rendering.fit_for(shape, rows)
    return fit_for_tables(rows) if name == "tables" else rows


def messages(name, records, style):
    """Write records as messages in the wrapping of that name."""
    if name in CONTAINERS:
        return CONTAINERS[name](records, style)
    if name in CARRIERS:
        return [CARRIERS[name](text, style)
                for text in _payloads(records, style)]
    if name == CODED:
        return [_coded(text, style) for text in _payloads(records, style)]
    return [_anything(part, style)
            for part in rendering.parts(records, style.rng)]


def _anything(records, style):
    """Write records as one message, each part of it by chance."""
    container = CONTAINERS[style.rng.choice(ANY_SHAPE)]
    carrier = CARRIERS[style.rng.choice(sorted(CARRIERS))]
    return carrier("".join(container(records, style)), style)


# Compression of files.

def compressions():
    """Name the compressions that can be made here."""
    return ("gz", "xz", "zst") if shutil.which("zstd") else ("gz", "xz")


def compress(data, kind):
    """Compress a file's content."""
    if kind == "gz":
        return gzip.compress(data)
    if kind == "xz":
        return lzma.compress(data)
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True,
                          capture_output=True).stdout
