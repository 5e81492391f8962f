# SPDX-License-Identifier: Apache-2.0
"""contrib/role-list/synctap-roles fetches the role list from a stub of Graph.

What is whole is loaded; whatever goes wrong on the way leaves the list as it
was, and says so in one line.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

import command
import ticks
from graph_stub import CLIENT, TENANT, Answer, Stub, error, page

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = TOP / "contrib" / "role-list" / "synctap-roles"
NEEDED = ("bash", "curl", "jq", "openssl")
DIRECTORY_SYNC = "d29b2b05-8046-44ba-8758-1e26182fcf32"
ON_PREMISES = "a92aed5d-d78a-4d16-b381-09adb37eb3b0"
CALLERS = ("/v1.0/servicePrincipals(appId='6bf85cfa-ac8a-4be5-b5de-"
           "425a0d0dc016')/appRoleAssignedTo")
TOKEN = ("POST", f"/{TENANT}/oauth2/v2.0/token")
ELSEWHERE = "https://elsewhere.example/v1.0/roleManagement"


def path_of(role):
    """Give the path under which the script asks for a role."""
    return ("/v1.0/roleManagement/directory/roleAssignments"
            f"?$filter=roleDefinitionId eq '{role}'&$expand=principal")


def assignment(number, role=DIRECTORY_SYNC):
    """Make one account's assignment."""
    principal = f"11111111-2222-4333-8444-{number:012}"
    return {"id": f"assignment-{number}", "principalId": principal,
            "roleDefinitionId": role, "directoryScopeId": "/",
            "principal": {"@odata.type": "#microsoft.graph.user",
                          "id": principal, "displayName": f"Account {number}",
                          "userPrincipalName": f"svc{number}@{TENANT}"}}


@unittest.skipUnless(all(map(shutil.which, NEEDED)), f"needs {NEEDED}")
class SynctapRoles(unittest.TestCase):
    """One run of the script each, but where it says otherwise."""

    def setUp(self):
        self._directory = tempfile.TemporaryDirectory(prefix="synctap-roles-")
        self.addCleanup(self._directory.cleanup)
        self.work = pathlib.Path(self._directory.name)
        self.database = self.work / "synctap.db"
        self.secret = self.work / "secret"
        self.secret.write_text('a "secret" \\ & +\n')
        self.temporary = self.work / "tmp"
        self.temporary.mkdir()
        self.stub = self.enterContext(Stub()) \
            if hasattr(self, "enterContext") else self._enter(Stub())
        self.stub.answers(path_of(DIRECTORY_SYNC), page([assignment(1)]))
        self.stub.answers(path_of(ON_PREMISES), page([]))

    def _enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def run_script(self, *arguments, **environment):
        """Run it; without a wish it gives the secret."""
        settings = self.stub.environment(
            SYNC_API="off", TMPDIR=str(self.temporary),
            DATABASE=str(self.database), SYNCTAP=os.environ["SYNCTAP"])
        if not {"CERTIFICATE", "SECRET_FILE"} & set(environment):
            settings["SECRET_FILE"] = str(self.secret)
        done = subprocess.run(
            ["bash", SCRIPT, *arguments], capture_output=True, timeout=60,
            env={"PATH": os.environ["PATH"], **settings, **environment},
            stdin=subprocess.DEVNULL)
        self.assertEqual([], list(self.temporary.iterdir()), "left behind")
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def sync_accounts(self):
        """Give the UPNs of the accounts that the role list has."""
        done = command.synctap("identity", "list", "--sync-accounts",
                               "--database", self.database,
                               "--format", "jsonl")
        return [row["AccountUPN"] for row in command.objects(done.output)]

    def loaded(self, *numbers, **environment):
        """Run it, and see that these accounts were loaded."""
        status, output, words = self.run_script(**environment)
        self.assertEqual((0, ""), (status, words), output)
        self.assertEqual([f"svc{number}@{TENANT}" for number in numbers],
                         self.sync_accounts())

    def refused(self, *expected, **environment):
        """Load account 9, run it, and see that nothing became of it."""
        before = {"TimeGenerated": ticks.render(ticks.now()),
                  "AccountUPN": f"svc9@{TENANT}",
                  "AssignedRoles": ["Directory Synchronization Accounts"]}
        command.synctap("identity", "import", "--database", self.database,
                        given=json.dumps(before).encode())
        status, output, words = self.run_script(**environment)
        self.assertEqual((1, ""), (status, output), words)
        self.assertEqual(1, words.count("\n"), words)
        for part in ("synctap-roles: ", *expected,
                     "; the role list stays as it was\n"):
            self.assertIn(part, words)
        self.assertEqual([f"svc9@{TENANT}"], self.sync_accounts())

    def test_a_synctap_that_is_killed_is_told(self):
        """As the kernel does to it for a call that a service may not make."""
        killed = self.work / "killed"
        killed.write_text('#!/bin/sh\nkill -9 $$\n')
        killed.chmod(0o755)
        self.refused("killed identity import ended with status 137",
                     SYNCTAP=str(killed))

    # What is whole.

    def test_both_roles_and_all_pages_are_loaded(self):
        second = self.stub.url + "/v1.0/next?$skiptoken=a b&x=[1]"
        self.stub.answers(path_of(DIRECTORY_SYNC), page(
            [assignment(1)], second.replace(" ", "%20")))
        self.stub.answers("/v1.0/next?$skiptoken=a b&x=[1]",
                          page([assignment(2)]))
        self.stub.answers(path_of(ON_PREMISES),
                          page([assignment(3, ON_PREMISES)]))
        self.loaded(1, 2, 3)
        self.assertEqual([
            TOKEN, ("GET", path_of(DIRECTORY_SYNC)),
            ("GET", "/v1.0/next?$skiptoken=a b&x=[1]"),
            ("GET", path_of(ON_PREMISES))], self.stub.asked)
        self.assertEqual(["Bearer first"] * 3, self.stub.tokens[1:])

    def test_who_is_named_no_more_has_lost_the_role(self):
        self.stub.answers(path_of(DIRECTORY_SYNC),
                          page([assignment(1), assignment(2)]),
                          page([assignment(2)]))
        self.loaded(1, 2)
        self.loaded(2)

    def test_the_secret_is_sent_as_a_form_has_it(self):
        self.loaded(1)
        form = urllib.parse.parse_qs(self.stub.bodies[0])
        self.assertEqual({
            "grant_type": ["client_credentials"], "client_id": [CLIENT],
            "scope": [f"{self.stub.url}/.default"],
            "client_secret": ['a "secret" \\ & +']}, form)

    def test_the_certificate_signs_a_jwt(self):
        key, certificate = self._certificate()
        self.loaded(1, CERTIFICATE=str(certificate), PRIVATE_KEY=str(key))
        self._check_assertion(key, certificate)

    def test_systemd_gives_the_certificate(self):
        key, certificate = self._certificate()
        self.secret.unlink()
        status, _, words = self.run_script(
            CREDENTIALS_DIRECTORY=str(self.work), SECRET_FILE="")
        self.assertEqual((0, ""), (status, words))
        self._check_assertion(key, certificate)

    def _certificate(self):
        key, certificate = self.work / "key.pem", self.work / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-subj", "/CN=synctap", "-days", "1", "-keyout", key, "-out",
             certificate], check=True, capture_output=True, timeout=60)
        return key, certificate

    def _check_assertion(self, key, certificate):
        form = urllib.parse.parse_qs(self.stub.bodies[0])
        self.assertEqual(
            ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
            form["client_assertion_type"])
        head, claims, signature = form["client_assertion"][0].split(".")
        der = self._openssl("x509", "-in", certificate, "-outform", "DER")
        self.assertEqual({"alg": "PS256", "typ": "JWT",
                          "x5t#S256": _base64url(self._openssl(
                              "dgst", "-sha256", "-binary", given=der))},
                         json.loads(_decoded(head)))
        said = json.loads(_decoded(claims))
        self.assertEqual((f"{self.stub.url}/{TENANT}/oauth2/v2.0/token",
                          CLIENT, CLIENT, 600),
                         (said["aud"], said["iss"], said["sub"],
                          said["exp"] - said["nbf"]))
        (self.work / "signature").write_bytes(_decoded(signature))
        public = self._openssl("x509", "-in", certificate, "-pubkey",
                               "-noout")
        (self.work / "public.pem").write_bytes(public)
        self.assertIn(b"Verified OK", self._openssl(
            "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt",
            "rsa_pss_saltlen:32", "-verify", self.work / "public.pem",
            "-signature", self.work / "signature",
            given=f"{head}.{claims}".encode()))

    @staticmethod
    def _openssl(*arguments, given=b""):
        return subprocess.run(["openssl", *map(str, arguments)], input=given,
                              check=True, capture_output=True,
                              timeout=60).stdout

    def test_a_page_without_rows_is_no_fault(self):
        self.stub.answers(path_of(DIRECTORY_SYNC), page(
            [assignment(1)], self.stub.url + "/v1.0/last"))
        self.stub.answers("/v1.0/last", page([]))
        self.loaded(1)

    def test_print_loads_nothing(self):
        status, output, words = self.run_script("--print")
        self.assertEqual((0, ""), (status, words))
        self.assertEqual([{"value": [assignment(1)]}],
                         [json.loads(line) for line in output.splitlines()])
        self.assertFalse(self.database.exists())

    def test_check_asks_nobody(self):
        self.assertEqual((0, "", ""), self.run_script("--check"))
        self.assertEqual([], self.stub.asked)

    def test_it_tells_who_may_call_the_sync_api(self):
        self.stub.answers(CALLERS, page([
            {"principalDisplayName": "ConnectSync\u001b[31m",
             "principalId": "33333333-2222-4333-8444-555555555555"}]))
        status, output, words = self.run_script(SYNC_API="on")
        self.assertEqual((0, ""), (status, words))
        self.assertEqual(
            "synctap-roles: may call the sync API: ConnectSync [31m "
            "(33333333-2222-4333-8444-555555555555)\n",
            output.splitlines(True)[-1])

    def test_the_list_is_loaded_though_the_callers_cannot_be_asked(self):
        self.stub.answers(CALLERS, error(403, "Forbidden", "no right"))
        status, _, words = self.run_script(SYNC_API="on")
        self.assertEqual((1, "synctap-roles: the role list is loaded; who may "
                             "call the sync API is not known: answer 403: "
                             "Forbidden: no right\n"), (status, words))
        self.assertEqual([f"svc1@{TENANT}"], self.sync_accounts())

    # What fails for a while.

    def test_it_waits_as_long_as_the_server_says(self):
        self.stub.answers(path_of(DIRECTORY_SYNC),
                          error(429, "TooManyRequests", "slow down",
                                Retry_After="1"), page([assignment(1)]))
        self.loaded(1)
        self.assertGreaterEqual(self.stub.times[2] - self.stub.times[1], 1)

    def test_an_answer_that_breaks_off_is_asked_for_again(self):
        whole = page([assignment(1)])
        self.stub.answers(path_of(DIRECTORY_SYNC), whole._replace(cut=True),
                          whole)
        self.loaded(1)

    def test_a_token_that_ran_out_is_fetched_anew_once(self):
        self.stub.answers(path_of(ON_PREMISES),
                          error(401, "InvalidAuthenticationToken", "old"),
                          page([]))
        self.loaded(1)
        self.assertEqual(["Bearer first"] * 2 + ["Bearer second"],
                         [token for token in self.stub.tokens if token])

    # What fails for good.

    def test_a_token_that_is_refused_twice_ends_it(self):
        self.stub.answers(path_of(DIRECTORY_SYNC),
                          error(401, "InvalidAuthenticationToken", "never"))
        self.refused("answer 401: InvalidAuthenticationToken: never")
        self.assertEqual(2, self.stub.asked.count(TOKEN))

    def test_a_wrong_secret_is_told(self):
        self.stub.answers(TOKEN[1], Answer(401, json.dumps(
            {"error": "invalid_client", "error_description": "AADSTS7000215:"
             " wrong secret.\r\nTrace ID: 1"})))
        self.refused("no token: answer 401: ", "AADSTS7000215")

    def test_a_break_that_lasts_ends_it(self):
        self.stub.answers(path_of(ON_PREMISES), page(
            [assignment(3)])._replace(cut=True))
        self.refused("curl: (18)", RETRIES="0")  # its words differ

    def test_a_server_that_throttles_for_too_long_ends_it(self):
        self.stub.answers(path_of(DIRECTORY_SYNC), error(
            429, "TooManyRequests", "later", Retry_After="86400"))
        self.refused("asked again in 86400 s")

    def test_a_server_that_throttles_on_and_on_ends_it(self):
        self.stub.answers(path_of(DIRECTORY_SYNC), error(
            503, "ServiceUnavailable", "busy", Retry_After="0"))
        self.refused("answer 503: ServiceUnavailable: busy")
        self.assertEqual(3, len(self.stub.asked) - 1)

    def test_a_redirect_is_not_followed(self):
        for status in (301, 302, 307, 308):
            with self.subTest(status=status):
                self.stub.answers(path_of(DIRECTORY_SYNC), Answer(
                    status, "", {"Location": ELSEWHERE}))
                self.refused(f"answer {status}: sent on to {ELSEWHERE}")

    def test_a_next_page_on_another_host_is_not_asked_for(self):
        for link in (ELSEWHERE, self.stub.url + ".example/v1.0/next",
                     self.stub.url.replace("//", "//user@") + "/v1.0/next"):
            with self.subTest(link=link):
                self.stub.answers(path_of(DIRECTORY_SYNC),
                                  page([assignment(1)], link))
                self.refused(f"the next page is on another host: {link}")

    def test_a_link_that_would_be_two_lines_is_refused(self):
        self.stub.answers(path_of(DIRECTORY_SYNC), page(
            [assignment(1)], self.stub.url + '/a"\noutput = "x'))
        self.refused("the link to the next page is none")

    def test_pages_that_go_round_in_a_circle_end_it(self):
        again = self.stub.url + "/v1.0/again"
        self.stub.answers("/v1.0/again", page([assignment(2)], again))
        self.stub.answers(path_of(DIRECTORY_SYNC),
                          page([assignment(1)], again))
        self.refused("the pages go round in a circle")

    def test_what_is_no_page_ends_it(self):
        for body in ("", "{", "[]", "{}", '{"value":{}}', '{"value":null}',
                     '{"value":[],"error":{"code":"x"}}', "<html>"):
            with self.subTest(body=body):
                self.stub.answers(path_of(ON_PREMISES), Answer(200, body))
                self.refused("the answer is no page of a list")

    def test_a_list_without_anybody_is_not_loaded(self):
        self.stub.answers(path_of(DIRECTORY_SYNC), page([]))
        self.refused()

    def test_wrong_settings_are_named_and_nobody_is_asked(self):
        for name, value, words in (
                ("TENANT", "", "TENANT is not set"),
                ("TENANT", "a/b", 'TENANT: "a/b" is no id'),
                ("CLIENT_ID", "", "CLIENT_ID is not set"),
                ("GRAPH", "http://graph.example", "is not https://HOST"),
                ("LOGIN", "https://a/b", "is not https://HOST"),
                ("SECRET_FILE", "/nonexistent", "cannot be read"),
                ("SECRET_FILE", "", "neither SECRET_FILE nor CERTIFICATE"),
                ("SYNCTAP", "/nonexistent/synctap", "not installed")):
            with self.subTest(name=name, value=value):
                status, output, said = self.run_script(**{name: value})
                self.assertEqual((1, "", 1),
                                 (status, output, said.count("\n")))
                self.assertIn(words, said)
        self.assertEqual([], self.stub.asked)


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


if __name__ == "__main__":
    unittest.main()
