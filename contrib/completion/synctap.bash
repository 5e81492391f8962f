# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Completion of synctap for bash. What it offers is what the program says of its own options.

_synctap_values() { # COMMAND OPTION: what the option's value may be; false when it takes none
    local line
    while read -r line; do
        if [[ $line == "$2="* ]]; then
            echo "${line#*=}"
            return
        fi
    done < <(synctap "$1" --list-options 2>/dev/null)
    return 1
}

_synctap() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=''
    [ "$word" != = ] || word=''
    [ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
    if ((COMP_CWORD == 1)); then
        words="$(synctap --list-commands 2>/dev/null) --help --version"
    elif words=$(_synctap_values "${COMP_WORDS[1]}" "$before"); then
        [ "$words" != FILE ] || words=''
    elif [[ $word == -* ]]; then
        words=$(synctap "${COMP_WORDS[1]}" --list-options 2>/dev/null | sed 's/=.*//')
    elif ((COMP_CWORD == 2)); then
        case ${COMP_WORDS[1]} in
        identity) words='import list show' ;;
        incident) words='list show close' ;;
        action) words='list adopt drop' ;;
        rule) words='check show eval' ;;
        esac
    fi
    # nothing: then bash offers files (complete -o default)
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _synctap synctap
