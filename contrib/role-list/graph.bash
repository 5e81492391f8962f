# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Microsoft Graph for shell scripts: a token, and lists page by page. Sourced by synctap-roles and
# graph-poll, which set `me` to their name. Needs bash 4.4, curl, openssl and jq.
#
# Settings, from the environment:
#   TENANT           tenant id or domain
#   CLIENT_ID        application (client) id
#   CERTIFICATE      PEM file: its public half was uploaded to the application; with
#   PRIVATE_KEY      PEM file, RSA; or, instead of the two,
#   SECRET_FILE      file that holds the client secret
#   GRAPH, LOGIN     for national clouds: https://graph.microsoft.us, https://login.microsoftonline.us
#   RETRIES          how often a request that failed for a while is sent again (5)
#
# With systemd's LoadCredential= the three files may lie in $CREDENTIALS_DIRECTORY as certificate.pem,
# key.pem and secret; settings come first.
#
# Nothing secret stands in an argument of a program: curl reads it from its standard input.

GRAPH=${GRAPH:-https://graph.microsoft.com}
LOGIN=${LOGIN:-https://login.microsoftonline.com}
RETRIES=${RETRIES:-5}
longest_wait=300 # seconds that Retry-After may ask for
most_pages=10000
token=''
status='' # of the last answer
headers=''
body=''

# What stopped the request, for one line; to be told by the caller.
why=''

fail() {
    why=$*
    return 1
}

graph_missing() { # PROGRAM...: says which of them are not here
    local program missing=()
    for program in curl openssl jq "$@"; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} = 0 ] || fail "not installed: ${missing[*]}"
}

graph_settings() {
    local given=${CREDENTIALS_DIRECTORY:-} name
    for name in TENANT CLIENT_ID; do
        [ -n "${!name:-}" ] || fail "$name is not set" || return
        [[ ${!name} =~ ^[A-Za-z0-9._-]+$ ]] || fail "$name: \"${!name}\" is no id" || return
    done
    for name in GRAPH LOGIN; do
        [[ ${!name} =~ ^(https://[^/?#@]+|http://127\.0\.0\.1:[0-9]+)$ ]] ||
            fail "$name: \"${!name}\" is not https://HOST" || return
    done
    if [ -n "$given" ] && [ -z "${SECRET_FILE:-}${CERTIFICATE:-}${PRIVATE_KEY:-}" ]; then
        if [ -e "$given/secret" ]; then
            SECRET_FILE=$given/secret
        else
            CERTIFICATE=$given/certificate.pem PRIVATE_KEY=$given/key.pem
        fi
    fi
    for name in ${SECRET_FILE:+SECRET_FILE} ${CERTIFICATE:+CERTIFICATE} ${PRIVATE_KEY:+PRIVATE_KEY}; do
        [ -r "${!name}" ] || fail "$name: ${!name} cannot be read" || return
    done
    [ -n "${SECRET_FILE:-}" ] || { [ -n "${CERTIFICATE:-}" ] && [ -n "${PRIVATE_KEY:-}" ]; } ||
        fail 'neither SECRET_FILE nor CERTIFICATE and PRIVATE_KEY are set'
}

# --- one request ---------------------------------------------------------------------------

# Sends a request once; curl's own settings come by standard input. Sets status, headers and body.
# It follows no redirect: the token is for the host that was asked, and for no other.
request() { # CURL-SETTING...
    local answer words
    words=$(mktemp) || return
    answer=$(printf '%s\n' "$@" | curl --silent --show-error --include --suppress-connect-headers \
        --proto '=https,http' --connect-timeout 20 --max-time 300 --compressed --globoff --config - \
        --write-out '\n%{http_code}' 2>"$words") || {
        why=$(tr -d '\r\n' <"$words")
        rm -f "$words"
        status=000
        return 1
    }
    rm -f "$words"
    answer=${answer//$'\r'/}
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    while [[ $answer =~ ^HTTP/[0-9.]+\ 1[0-9][0-9] ]]; do
        answer=${answer#*$'\n\n'}
    done
    headers=${answer%%$'\n\n'*}
    body=${answer#*$'\n\n'}
}

header() { # NAME
    sed -n "s/^$1: *//Ip" <<<"$headers" | head -n 1
}

# How long to wait before the same request again: Retry-After (seconds or a date), else 1, 2, 4 ...
waiting_time() { # ATTEMPT
    local asked seconds
    asked=$(header retry-after)
    if [[ $asked =~ ^[0-9]+$ ]]; then
        seconds=$((10#$asked))
    elif seconds=$(date -d "$asked" +%s 2>/dev/null) && [ -n "$asked" ]; then
        seconds=$((seconds - $(date +%s)))
        ((seconds >= 0)) || seconds=0
    else
        seconds=$((1 << $1))
    fi
    ((seconds <= longest_wait)) || fail "$status, and is to be asked again in $seconds s" || return
    pause=$seconds
}

# What a server says in an error, on one line without characters that a terminal would obey.
complaint() {
    local said
    said=$(jq -r '[.error.code?, .error.message?, .error_description?, (.error? | strings)]
        | map(strings) | join(": ")' <<<"$body" 2>/dev/null | tr -c '[:print:]' ' ' | cut -c 1-300 |
        sed 's/ *$//')
    echo "answer $status${said:+: $said}"
}

# Sends a request, and again while the answer says that it failed for a while. True at a 200.
request_patiently() { # CURL-SETTING...
    local attempt pause
    for ((attempt = 0; ; attempt++)); do
        if request "$@"; then
            case $status in
            200) return 0 ;;
            429 | 500 | 502 | 503 | 504) why=$(complaint) ;;
            3??) fail "answer $status: sent on to $(header location), which is not followed" || return ;;
            *) fail "$(complaint)" || return ;;
            esac
        else
            headers=''
        fi
        ((attempt < RETRIES)) || return
        waiting_time "$attempt" || return
        sleep "$pause"
    done
}

# --- the token -----------------------------------------------------------------------------

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# A JWT that the application's key has signed (PS256), good for ten minutes.
assertion() {
    local now thumbprint head claims
    now=$(date +%s)
    thumbprint=$(openssl x509 -in "$CERTIFICATE" -outform DER | openssl dgst -sha256 -binary |
        base64url) || return
    head=$(jq -cnj --arg x5t "$thumbprint" '{alg: "PS256", typ: "JWT", "x5t#S256": $x5t}' |
        base64url) || return
    claims=$(jq -cnj --arg aud "$LOGIN/$TENANT/oauth2/v2.0/token" --arg id "$CLIENT_ID" \
        --arg jti "$(openssl rand -hex 16)" --argjson now "$now" \
        '{aud: $aud, iss: $id, sub: $id, jti: $jti, nbf: $now, exp: ($now + 600)}' |
        base64url) || return
    printf '%s.%s.%s' "$head" "$claims" "$(printf '%s.%s' "$head" "$claims" |
        openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
            -sign "$PRIVATE_KEY" | base64url)"
}

# curl's settings are quoted strings: a backslash and a quote need a backslash.
quoted() {
    local text=${1//\\/\\\\}
    printf '"%s"' "${text//\"/\\\"}"
}

get_token() {
    local proof signed
    if [ -n "${SECRET_FILE:-}" ]; then
        proof="client_secret=$(tr -d '\r\n' <"$SECRET_FILE" | jq -sRr @uri)"
    else
        signed=$(assertion 2>/dev/null) && [[ $signed =~ ^[^.]+\.[^.]+\.[^.]+$ ]] ||
            fail "$CERTIFICATE and $PRIVATE_KEY: no RSA certificate and key" || return
        proof="client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        proof+="&client_assertion=$signed"
    fi
    request_patiently "url = $(quoted "$LOGIN/$TENANT/oauth2/v2.0/token")" \
        "data = $(quoted "grant_type=client_credentials&client_id=$CLIENT_ID")" \
        "data = $(quoted "scope=$(jq -rn --arg s "$GRAPH/.default" '$s | @uri')")" \
        "data = $(quoted "$proof")" || fail "no token: $why" || return
    token=$(jq -r '.access_token | strings' <<<"$body" 2>/dev/null)
    [[ $token =~ ^[A-Za-z0-9._~+/=-]+$ ]] || fail 'no token: the answer holds none'
}

# --- lists ---------------------------------------------------------------------------------

# One page. A token that is refused is fetched anew, once.
get_page() { # URL
    local attempt
    for attempt in first second; do
        [ -n "$token" ] || get_token || return
        request_patiently "url = $(quoted "$1")" \
            "header = $(quoted "Authorization: Bearer $token")" \
            'header = "Accept: application/json"' && break
        [ "$status" = 401 ] && [ $attempt = first ] || return
        token=''
    done
    [ "$(jq 'type == "object" and (.value | type == "array") and has("error") == false' \
        <<<"$body" 2>/dev/null)" = true ] || fail "the answer is no page of a list: $1"
}

# Writes each page of a list, one JSON object a line; pages without a row are left out. All pages or
# a failure: each link is followed, on the same host alone, and none twice.
graph_list() { # PATH-AND-QUERY
    local url=$GRAPH/$1 pages=0
    local -A followed=()
    while [ -n "$url" ]; do
        [[ $url == "$GRAPH/"* ]] || fail "the next page is on another host: $url" || return
        [[ $url =~ ^[[:graph:]]+$ ]] || fail "the link to the next page is none: $url" || return
        [ -z "${followed[$url]:-}" ] || fail "the pages go round in a circle: $url" || return
        followed[$url]=yes
        ((++pages <= most_pages)) || fail "more than $most_pages pages" || return
        get_page "$url" || return
        jq -c 'select(.value != []) | {value}' <<<"$body" || fail 'no room for the pages' || return
        url=$(jq -r '."@odata.nextLink" // "" | strings' <<<"$body")
    done
}
