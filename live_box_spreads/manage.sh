#!/usr/bin/env bash
# Prepares the environment and starts a part of Live Box Spreads. See usage() below.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
conda_name=box_live

usage() {
    cat <<'TEXT'
Usage: ./manage.sh [snapshot|collect|dashboard|both|demo|test] [options of that command]

  snapshot    take one snapshot
  collect     keep collecting, one snapshot an interval
  dashboard   open the dashboard on the collected snapshots
  both        collector in the background and dashboard, until you leave
  demo        everything on a local simulated exchange; no account needed
  test        run the test suite

Without a word it asks. The environment is made by uv if it is installed, otherwise by
python3 -m venv and pip. BOX_ENV=uv|venv|conda chooses; conda uses an environment named box_live.

Examples:
  ./manage.sh demo
  ./manage.sh collect --config my.yaml
  BOX_ENV=conda ./manage.sh both
TEXT
}

fail() {
    printf 'manage.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

say() {
    printf '%s\n' "$1" >&2
}

# ---- the three ways to an environment; each one sets $python -------------------------------

find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer found; install one, or install uv, which brings its own"
}

requirements_file() {
    if [ "$1" = test ]; then echo "$root/requirements-dev.txt"; else echo "$root/requirements.txt"; fi
}

# What pip was told and what is installed: when either changes, pip has to look again.
installed_state() {
    printf '%s\n' "$root"
    cat "$1" "$root/pyproject.toml"
    "$python" -I -c 'from importlib.metadata import distributions
print(*sorted(f"{each.name} {each.version}" for each in distributions()), sep="\n")'
}

install_with_pip() {
    local wanted stamp
    local pip=("$python" -m pip install --quiet --disable-pip-version-check)
    wanted=$(requirements_file "$1")
    stamp="$2/.installed-$(basename "$wanted")"
    if [ -f "$stamp" ] && installed_state "$wanted" | cmp -s - "$stamp"; then return; fi
    say "installing the dependencies (about a minute the first time) …"
    "${pip[@]}" --require-hashes -r "$wanted" || fail "pip could not install $wanted; see above"
    # The package itself, so that a process started elsewhere finds it. pip takes no "-e" beside
    # hashes, so it comes second and without dependencies. What builds it, hatchling, is fetched
    # by pip into an environment of its own for that moment, as uv does.
    "${pip[@]}" --no-deps -e "$root" || fail "pip could not install the package; see above"
    installed_state "$wanted" >"$stamp"
}

prepare_uv() {
    local extras=(--extra dashboard --extra fast --extra simulator)
    [ "$1" != test ] || extras=(--extra dev)
    say "preparing the environment with uv …"
    # --inexact: a run after a test run leaves the test tools where they are.
    (cd "$root" && uv sync --quiet --frozen --inexact "${extras[@]}")
    python="$root/.venv/bin/python"
}

prepare_venv() {
    local found folder="$root/.venv-pip"
    if [ ! -x "$folder/bin/python" ]; then
        found=$(find_python)
        say "preparing the environment with venv and pip, by $found …"
        if ! "$found" -m venv "$folder"; then
            rm -rf "$folder" # half an environment would pass for a whole one the next time
            fail "$found -m venv failed; on Debian and Ubuntu: apt install python3-venv"
        fi
    fi
    python="$folder/bin/python"
    install_with_pip "$1" "$folder"
}

prepare_conda() {
    command -v conda >/dev/null 2>&1 || fail "BOX_ENV=conda, but there is no conda command here"
    if ! conda run -n "$conda_name" python -c '' >/dev/null 2>&1; then
        say "creating the conda environment $conda_name …"
        conda create --quiet --yes -n "$conda_name" python=3.11 pip >/dev/null
    fi
    # Run its interpreter directly, so that signals reach it and not a wrapper.
    python=$(conda run -n "$conda_name" python -c 'import sys; print(sys.executable)')
    install_with_pip "$1" "$("$python" -c 'import sys; print(sys.prefix)')"
}

prepare() {
    local way=${BOX_ENV:-}
    if [ -z "$way" ]; then
        if command -v uv >/dev/null 2>&1; then way=uv; else way=venv; fi
    fi
    case $way in
        uv) command -v uv >/dev/null 2>&1 || fail "BOX_ENV=uv, but there is no uv command here"
            prepare_uv "$1" ;;
        venv) prepare_venv "$1" ;;
        conda) prepare_conda "$1" ;;
        *) fail "BOX_ENV=$way is unknown; choose uv, venv or conda" 2 ;;
    esac
}

# ---- what to start --------------------------------------------------------------------------

ask() {
    local answer
    cat >&2 <<'TEXT'
Live Box Spreads
  1) one snapshot
  2) continuous collector
  3) dashboard
  4) collector and dashboard together
  5) demo: all of it on a local simulated exchange, no account needed
TEXT
    for _ in 1 2 3 4 5; do
        printf 'Choose 1-5: ' >&2
        if ! read -r answer && [ -z "$answer" ]; then
            echo >&2
            fail "no choice was made; give it as a word, such as ./manage.sh demo (--help has all)" 2
        fi
        case $answer in
            1) word=snapshot ;;
            2) word=collect ;;
            3) word=dashboard ;;
            4) word=both ;;
            5) word=demo ;;
            *) say "'${answer:0:40}' is not one of 1, 2, 3, 4, 5" && continue ;;
        esac
        return
    done
    fail "no choice was made in five attempts; see ./manage.sh --help" 2
}

# Said before the environment is prepared, which may take a minute. Folder and address are the
# configured ones: the started command says them as soon as it has read the configuration.
announce() {
    case $1 in
        snapshot) say "snapshot: one snapshot into the configured folder" ;;
        collect) say "collect: one snapshot an interval into the configured folder, until Ctrl-C" ;;
        dashboard) say "dashboard: the snapshots of the configured folder in a browser, until Ctrl-C" ;;
        both) say "both: the collector in the background and the dashboard, until Ctrl-C" ;;
        demo) say "demo: simulated exchange, collector and dashboard on this machine, until Ctrl-C" ;;
        test) say "test: the test suite, in $root" ;;
    esac
}

# The collector runs in the background until the dashboard ends, however it ends.
run_both() {
    (cd "$here" && exec "$python" ingest.py --announce --loop "$@") &
    collector=$!
    trap 'kill -TERM "$collector" 2>/dev/null || true; wait "$collector" 2>/dev/null || true' EXIT
    # bash runs a trap only after its foreground child: so wait for a background one instead.
    (cd "$here/dashboard" && exec "$python" app.py --announce "$@") &
    dashboard=$!
    trap 'kill -TERM "$dashboard" 2>/dev/null || true' INT TERM HUP
    local status=0
    wait "$dashboard" || status=$?
    if [ "$status" -gt 128 ]; then # a signal cut the wait short: let the dashboard finish
        status=0
        wait "$dashboard" || status=$?
    fi
    return "$status"
}

word=${1:-}
if [ $# -gt 0 ]; then shift; fi
case $word in
    -h | --help | help) usage; exit 0 ;;
    '') ask ;;
    snapshot | collect | dashboard | both | demo | test) ;;
    *) usage >&2; fail "unknown word '$word'" 2 ;;
esac

announce "$word"
prepare "$word"
case $word in
    snapshot) cd "$here" && exec "$python" ingest.py --announce "$@" ;;
    collect) cd "$here" && exec "$python" ingest.py --announce --loop "$@" ;;
    dashboard) cd "$here/dashboard" && exec "$python" app.py --announce "$@" ;;
    both) run_both "$@" ;;
    demo) cd "$root" && exec "$python" -m live_box_spreads demo "$@" ;;
    test) cd "$root" && exec "$python" -m pytest -n auto --dist loadfile "$@" ;;
esac
