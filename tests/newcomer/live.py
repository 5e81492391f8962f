# SPDX-License-Identifier: Apache-2.0
"""A newcomer's collector, in a booted system of its own.

It takes logs by TLS before synctap comes. Then it gets synctap by the
documents' own commands, and records by TLS and by an Event Hub's protocol,
the role list by its timer, a self-test by both ways; status is green, and red
where it must be; and synctap goes again.

Runs as root in the system that tests/newcomer/run has made and booted.
"""

import datetime
import json
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / part) for part in ("rsyslogd", "cli")]

import graph_stub  # noqa: E402
import kafka_broker  # noqa: E402

HOME = pathlib.Path("/root")
ALERTS = pathlib.Path("/var/log/synctap-alerts.jsonl")
RELAYS = pathlib.Path("/var/log/relays.log")
COLLECTOR = pathlib.Path("/etc/rsyslog.d/10-collector.conf")
ROLES = ("d29b2b05-8046-44ba-8758-1e26182fcf32",
         "a92aed5d-d78a-4d16-b381-09adb37eb3b0")
SYNC = "svc-connect@contoso.com"
SYNC_ID = "11111111-2222-4333-8444-555555555555"
# What somebody had before synctap.
EXISTING = """global(maxMessageSize="64k")
module(load="impstats" interval="300" format="json")
module(load="imtcp" maxSessions="500")
ruleset(name="from-relays" queue.type="LinkedList") {
    action(type="omfile" file="/var/log/relays.log")
}
input(type="imtcp" port="6514" ruleset="from-relays"
      streamDriver.name="gtls" streamDriver.mode="1"
      streamDriver.authMode="x509/name" permittedPeer=["relay.example.com"]
      streamDriver.CAFile="/etc/ssl/synctap/ca.pem"
      streamDriver.CertFile="/etc/ssl/synctap/cert.pem"
      streamDriver.KeyFile="/etc/ssl/synctap/key.pem")
"""


# --- what a step is made of ---

def say(words):
    """Note what was seen."""
    print(f"ok: {words}", flush=True)


def run(commands, statuses=(0,), where=TOP):
    """Run what was typed; give what it said."""
    print(f"$ {commands.strip()}", flush=True)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=where,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    print(done.stdout, end="", flush=True)
    if done.returncode not in statuses:
        raise AssertionError(f"exit status {done.returncode}: {commands}")
    return done.stdout


def blocks(document, heading, kind):
    """Give the blocks of a kind under a heading of a document."""
    text = (TOP / document).read_text()
    part = re.search(rf"(?ms)^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)",
                     text)[1]
    found = re.findall(rf"(?ms)^( *)```{kind}$\n(.*?)^ *```", part)
    if not found:
        raise AssertionError(f"{document}, {heading}: no block of {kind}")
    return [re.sub(rf"(?m)^{indent}", "", block) for indent, block in found]


def wait_until(condition, what, seconds=60):
    """Look again and again; a deadline is the only clock."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)
    return found


def edit(path, pattern, by):
    """Change a file as with an editor; what is to change must be there."""
    text, count = re.subn(pattern, lambda match: by, path.read_text())
    if count != 1:
        raise AssertionError(f"{path}: {count} places of {pattern}")
    path.write_text(text)


# --- records ---

def record(record_id):
    """Make a diagnostic record of this minute about the sync account."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps({
        "time": now, "operationName": "Admin registered security info",
        "category": "AuditLogs", "properties": {
            "id": record_id, "activityDisplayName":
                "Admin registered security info", "activityDateTime": now,
            "initiatedBy": {"user": {"userPrincipalName": "mallory@x.com"}},
            "targetResources": [{"id": SYNC_ID, "type": "User",
                                 "userPrincipalName": SYNC}]}})


def send_by_tls(text):
    """Send a line as the relay does, with its certificate."""
    context = ssl.create_default_context(cafile=HOME / "ca.pem")
    context.load_cert_chain(HOME / "relay.pem", HOME / "relay-key.pem")
    with socket.create_connection(("127.0.0.1", 6514), timeout=30) as plain, \
            context.wrap_socket(
                plain, server_hostname="collector.example.com") as far:
        far.sendall(text.encode() + b"\n")


def alerts():
    """Give the alerts that are there, each line one."""
    if not ALERTS.exists():
        return []
    return [json.loads(line) for line in ALERTS.read_text().splitlines()]


def alert_of(record_id, seconds=60):
    """Wait for the alert of a record."""
    return wait_until(
        lambda: next((one for one in alerts()
                      if one["record_id"] == record_id), None),
        f"the alert of {record_id}", seconds)


# --- the steps ---

def is_listening(port=6514):
    """Tell whether the input is there: it comes a moment after the start."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def restart():
    """As every document has it."""
    run("rsyslogd -N1 && systemctl restart rsyslog")
    wait_until(is_listening, "the input with TLS")


def put_stub(stub, service):
    """Only where Graph is, is the test's own."""
    folder = pathlib.Path(f"/etc/systemd/system/{service}.service.d")
    folder.mkdir(parents=True)
    (folder / "stub.conf").write_text(
        f"[Service]\nEnvironment=GRAPH={stub.url} LOGIN={stub.url}\n")
    run("systemctl daemon-reload")


def make_existing_collector():
    """Certificates by doc/audit.md, and a collector that takes TLS."""
    certificates, = blocks("doc/audit.md", "Another collector", "sh")
    run(certificates, where=HOME)
    run("install -d -m 0750 /etc/ssl/synctap\n"
        "install -m 0600 ca.pem /etc/ssl/synctap/ca.pem\n"
        "install -m 0600 collector.pem /etc/ssl/synctap/cert.pem\n"
        "install -m 0600 collector-key.pem /etc/ssl/synctap/key.pem",
        where=HOME)
    run(blocks("doc/audit.md", "Another collector", "sh root")[0])
    COLLECTOR.write_text(EXISTING)
    restart()
    send_by_tls("<13>Jun  1 12:00:00 relay app: before")
    wait_until(lambda: RELAYS.exists() and "before" in RELAYS.read_text(),
               "a line through the collector")
    say("a collector takes logs by TLS, without synctap")


def put_synctap_beside_it(broker):
    """The samples, but for what this host has already."""
    block = blocks("doc/audit.md", "Before you start", "sh root")[0]
    copies = [line for line in block.splitlines() if line.startswith("cp ")]
    run("\n".join(line for line in copies if "synctap-host" not in line))
    hub = pathlib.Path("/etc/rsyslog.d/event-hub.conf")
    edit(hub, r'(?m)^input\(type="imkafka" broker="[^"]*"',
         f'input(type="imkafka" broker="{broker.address}"')
    edit(hub, r'(?ms)^ +confParam=\["security.*?earliest"\]\)',
         '      confParam=["auto.offset.reset=earliest"])')
    words = run("rsyslogd -N1", statuses=(0, 1))
    if "maxMessageSize" not in words:
        raise AssertionError("a small maxMessageSize is passed over")
    say("rsyslogd -N1 says that maxMessageSize is too small")
    edit(COLLECTOR, r'maxMessageSize="64k"',
         'maxMessageSize="2m" abortOnUncleanConfig="on"')
    edit(COLLECTOR, r'maxSessions="500"',
         'maxSessions="500" maxFrameSize="2097152"')
    edit(COLLECTOR, r'file="/var/log/relays.log"\)',
         'file="/var/log/relays.log")\n    call entra-audit')
    restart()
    say("synctap runs beside what the collector had")


def let_role_list_come(stub):
    """By doc/identity.md."""
    for role in ROLES:
        stub.answers(
            "/v1.0/roleManagement/directory/roleAssignments?$filter="
            f"roleDefinitionId eq '{role}'&$expand=principal",
            graph_stub.page([{
                "id": "1", "principalId": SYNC_ID, "roleDefinitionId": role,
                "directoryScopeId": "/", "principal": {
                    "@odata.type": "#microsoft.graph.user", "id": SYNC_ID,
                    "displayName": "Connect", "userPrincipalName": SYNC,
                }}] if role == ROLES[0] else []))
    stub.answers("/v1.0/servicePrincipals*", graph_stub.page([
        {"principalDisplayName": "ConnectSyncProvisioning_HOST",
         "principalId": SYNC_ID}]))
    stub.answers("/contoso.com/oauth2/v2.0/token",
                 graph_stub.Answer(200, '{"access_token":"first"}'))
    put_stub(stub, "synctap-roles")
    for block in blocks("doc/identity.md",
                        "By itself, out of Microsoft Graph", "sh root"):
        run(block)


def see_alerts(broker):
    """A record that came before the role list, and one by the hub."""
    late = alert_of("by TLS", 300)
    if not late["late"] or late["target_upn"] != SYNC:
        raise AssertionError(f"not the late alert: {late}")
    say("the role list came by its timer, and the record that waited "
        "alerted late")
    print(run("journalctl -u synctap-roles --no-pager"))
    broker.send([record("by the hub")])
    if alert_of("by the hub")["late"]:
        raise AssertionError("the role list was there")
    send_by_tls(record("by TLS again"))
    alert_of("by TLS again")
    say("records by TLS and by the Event Hub's protocol alert")


def try_selftest(broker):
    """The commands of doc/operations.md, to this host's far ends."""
    block = next(one for one in blocks(
        "doc/operations.md", "Does it work now?", "sh network")
        if "s_client" in one)
    block = block.replace("BROKER", broker.address)
    said = run(block, where=HOME)
    if len(re.findall(r"(?m)^\d+ ms$", said)) != 2:
        raise AssertionError("a self-test by each way says how long it took")
    tests = [one for one in alerts() if one["selftest"]]
    if [one["incident"] for one in tests] != [None, None]:
        raise AssertionError("a self-test opened an incident")
    say("a self-test went through the whole, by both ways")


def take_plain_tcp():
    """in/tcp.conf where imtcp is loaded already, and what is typed to it."""
    sample = (TOP / "contrib/rsyslog.d/in/tcp.conf").read_text()
    pathlib.Path("/etc/rsyslog.d/tcp.conf").write_text(
        re.sub(r"(?m)^module\(.*\n", "", sample))
    restart()
    wait_until(lambda: is_listening(10514), "the plain port")
    for block in blocks("doc/audit.md", "Does it come?", "sh") + blocks(
            "doc/audit.md", "Does it come?", "sh network"):
        run(block, where=HOME)
    alert_of("by hand")
    for block in blocks("doc/omidentityinfo.md", "Example", "sh network"):
        run(block)
    wait_until(lambda: "role feed" in status()[1], "the row by rsyslog")
    say("records and rows by hand, to the plain ports")


def take_graph(stub):
    """doc/audit.md's other way: a timer asks Graph, imfile reads."""
    found = json.loads(record("by Graph"))["properties"]
    stub.answers("/v1.0/auditLogs/directoryAudits*", graph_stub.page([found]))
    put_stub(stub, "synctap-graph-poll")
    block, = blocks("doc/audit.md", "Microsoft Graph", "sh root")
    run(block)
    alert_of("by Graph", 120)
    say("a record by Graph and its timer alerts")


def run_it_for_years():
    """doc/operations.md's commands for the day after."""
    run("useradd alice")
    for heading in ("Analysts without root", "Backup and restore"):
        for block in blocks("doc/operations.md", heading, "sh(?: root)?"):
            run(block)
    wait_until(lambda: status()[0] == 0, "green after the restore", 90)
    ALERTS.rename("/var/log/rotated")
    run("systemctl kill -s HUP rsyslog.service")
    send_by_tls(record("for analysts"))
    alert_of("for analysts")
    run("su alice -c 'test -r /var/log/synctap-alerts.jsonl'")
    for block in blocks("doc/operations.md", "Upgrade of rsyslog", "sh root"):
        run(block)
    say("a group of analysts, a copy, a backup, a restore, a hold and a hook")


def status():
    """Give status's own exit status, and what it says."""
    done = subprocess.run(["synctap", "status"], capture_output=True,
                          text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def see_status():
    """Green, and red with its words."""
    wait_until(lambda: status()[0] == 0, "a green status", 90)
    run(next(block for block in blocks(
        "doc/operations.md", "Does it work now?", "sh network")
        if "--send" in block))
    say("status is green, and a self-test by the plain port goes through")
    for commands, words, back in (
            ("systemctl stop rsyslog", "daemon: rsyslogd was stopped",
             "systemctl start rsyslog"),
            ("chmod 0666 /var/spool/rsyslog/synctap.db",
             "everybody may write it: chmod 0640",
             "chmod 0640 /var/spool/rsyslog/synctap.db"),
            ("mv /usr/sbin/rsyslogd /usr/sbin/rsyslogd.old && "
             "printf '#!/bin/sh\\necho rsyslogd  8.1.0\\n' "
             ">/usr/sbin/rsyslogd && chmod 755 /usr/sbin/rsyslogd",
             "version 8.1.0 is installed, but mmsynctap was built for",
             "mv /usr/sbin/rsyslogd.old /usr/sbin/rsyslogd")):
        run(commands)
        found, said = status()
        print(said)
        if found != 2 or words not in said.splitlines()[0]:
            raise AssertionError(f"status {found} without: {words}")
        run(back)
        wait_until(lambda: status()[0] == 0, "a green status again", 90)
        say(f"status is red: {words}")


def remove_synctap():
    """README.md's last step: nothing of it stays under /usr."""
    run("cd /etc/rsyslog.d\n"
        "rm synctap.conf event-hub.conf tcp.conf graph-poll.conf\n"
        "sed -i '/call entra-audit/d' /etc/rsyslog.d/10-collector.conf\n"
        "rsyslogd -N1 && systemctl restart rsyslog\n"
        "systemctl disable --now synctap-roles.timer "
        "synctap-graph-poll.timer")
    run("su - newcomer -c 'cd synctap && sudo make uninstall' >/dev/null")
    left = run("find /usr \\( -name '*synctap*' -o -name 'omidentityinfo*' "
               "\\) -print")
    if left:
        raise AssertionError(f"left behind: {left}")
    wait_until(is_listening, "the collector, which goes on")
    say("make uninstall leaves nothing, and the collector goes on")


def main():
    """Do all of it, in order."""
    make_existing_collector()
    with kafka_broker.Broker("insights-logs-auditlogs") as broker, \
            graph_stub.Stub() as stub:
        put_synctap_beside_it(broker)
        send_by_tls(record("by TLS"))
        let_role_list_come(stub)
        see_alerts(broker)
        try_selftest(broker)
        take_plain_tcp()
        take_graph(stub)
        see_status()
        run_it_for_years()
        remove_synctap()


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        run("journalctl --no-pager --lines 60; systemctl --failed; "
            "systemctl list-timers; synctap status || true", range(256))
        raise
