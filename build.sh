#!/usr/bin/env bash
# Builds, tests and tries Slipway. Needs a Debian 12 or 13 machine and root (or sudo), and brings
# everything else itself: a cached Debian 13 tools tree, in which the rest runs.
set -euo pipefail

top=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly top
readonly cache=${SLIPWAY_CACHE:-/var/cache/slipway}
readonly suite=trixie

usage() {
    cat <<USAGE
usage: ./build.sh [COMMAND] [--mirror URL] [OPTIONS]

  build [--verbose]       build the ISO into out/ (also without COMMAND)
  test [-- PYTEST ARGS]   formatting, lint, types, unit tests, QEMU tests
  try [--layout L] [--firmware bios|uefi] [--nodes N] [--keep]
                          install the ISO in QEMU and wait until the node is ready
  serve --site FILE       feed netboot files and answers to the machines of a site
  bench serve             measure that server with simulated machines
  run -- CMD ...          any command inside the tools tree
  clean [--all]           remove the build's outputs; with --all the caches too

  --mirror URL            the Debian mirror; without it, the one that this machine's apt uses
USAGE
}

fail() {
    printf 'build.sh: %s\n' "$1" >&2
    exit 2
}

# Where Debian comes from: the first repository that this machine's apt knows as LABEL.
repository_of() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
        awk -v label="$1" '$1 == label { print $2; exit }'
}

host_packages() {
    local missing=()
    for package in mmdebstrap debian-archive-keyring; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || missing+=("$package")
    done
    if ((${#missing[@]})) || [[ -z $mirror && -z $(repository_of Debian) ]]; then
        apt-get update -qq
    fi
    if ((${#missing[@]})); then
        printf 'installing on this machine: %s\n' "${missing[*]}"
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
            "${missing[@]}" >/dev/null
    fi
}

# What apt needs to know inside the trees: repositories, and how this machine reaches them.
apt_settings() {
    local debian=${mirror:-$(repository_of Debian)} security
    security=$(repository_of Debian-Security)
    [[ -n $debian ]] || fail "this machine's apt knows no Debian repository; give one with --mirror"
    [[ -z $mirror && -n $security ]] || security=${debian%/}-security
    local components='main contrib non-free-firmware'
    mkdir -p "$cache/apt"
    printf 'deb %s %s %s\n' \
        "$debian" "$suite" "$components" \
        "$debian" "$suite-updates" "$components" \
        "$security" "$suite-security" "$components" >"$cache/apt/sources.list"
    {
        apt-config dump | grep -E '^Acquire::(https?::|Check-Valid-Until)' || true
        printf 'Acquire::Languages "none";\nAPT::Install-Recommends "false";\n'
    } >"$cache/apt/apt.conf"
}

tools_tree() {
    local packages key
    packages=$(grep -v '^#' "$top/image/tools.packages" | paste -sd,)
    key=$(printf '%s' "$suite $packages" | sha256sum | cut -c-16)
    tools=$cache/tools/$key
    exec 9>"$cache/lock"
    flock 9
    if [[ ! -d $tools ]]; then
        printf 'making the tools tree (once, a minute or so)\n'
        remove_unused_trees
        mkdir -p "$cache/tools" "$top/out/logs"
        mmdebstrap --mode=root --variant=minbase --format=directory \
            --aptopt="$cache/apt/apt.conf" --dpkgopt=force-unsafe-io \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
            --include="$packages" "$suite" "$tools.partial" "$cache/apt/sources.list" \
            >"$top/out/logs/tools.log" 2>&1 ||
            fail "the tools tree could not be made; see out/logs/tools.log"
        mv "$tools.partial" "$tools"
    fi
    # Held, and inherited, until the last command in the tree has ended.
    exec 8>"$tools.lock"
    flock --shared 8
    exec 9>&-
}

# Another checkout with other packages may be at work in a tree of its own.
remove_unused_trees() {
    local lock
    rm -rf "$cache"/tools/*.partial
    for lock in "$cache"/tools/*.lock; do
        [[ -e $lock ]] || continue
        flock --exclusive --nonblock "$lock" rm -rf "${lock%.lock}" "$lock" || true
    done
}

# Runs a command in the tools tree, with the checkout, the cache and the folder of a site file at
# their own paths. The mounts live in a namespace of their own and go with it.
enter() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private bash -euc '
        tools=$1 top=$2 cache=$3 site=$4
        shift 4
        mount --bind "$tools" "$tools"
        mount --rbind /dev "$tools/dev"
        mount --rbind /sys "$tools/sys"
        mount -t proc proc "$tools/proc"
        mount -t tmpfs tmpfs "$tools/run"
        mount -t tmpfs tmpfs "$tools/tmp"
        for folder in "$top" "$cache" "${site%/*}"; do
            [[ $folder ]] || continue
            mkdir -p "$tools$folder"
            mount --rbind "$folder" "$tools$folder"
        done
        for file in resolv.conf hosts; do
            [[ ! -e /etc/$file ]] || cp -L "/etc/$file" "$tools/etc/$file"
        done
        [[ ! -e /etc/ssl/certs/ca-certificates.crt ]] ||
            cp -L /etc/ssl/certs/ca-certificates.crt "$tools/etc/ssl/certs/"
        cd "$tools$top"
        exec chroot "$tools" env -i -C "$top" \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" CI="${CI:-}" \
            PYTHONPYCACHEPREFIX="$top/out/cache/python" BLACK_CACHE_DIR="$top/out/cache/black" \
            SLIPWAY_CACHE="$cache" "$@"
    ' _ "$tools" "$top" "$cache" "$site" "$@"
}

give_back() {
    [[ -z ${SUDO_UID:-} || ! -d $top/out ]] || chown -R "$SUDO_UID:${SUDO_GID:-0}" "$top/out"
}

main() {
    ((EUID == 0)) || exec sudo --preserve-env=SLIPWAY_CACHE,CI -- "$0" "$@"
    local command=build
    [[ $# -eq 0 || $1 == --[!h]* ]] || {
        command=$1
        shift
    }
    mirror="" site=""
    local arguments=()
    while (($#)); do
        case $1 in
        --mirror) mirror=${2:?--mirror needs a URL} && shift 2 ;;
        --mirror=*) mirror=${1#*=} && shift ;;
        --site)
            site=$(realpath -- "${2:?--site needs a file}")
            arguments+=(--site "$site") && shift 2
            ;;
        --site=*) set -- --site "${1#*=}" "${@:2}" ;;
        --) arguments+=("$@") && break ;;
        *) arguments+=("$1") && shift ;;
        esac
    done
    case $command in
    help | -h | --help) usage && exit 0 ;;
    build | test | try | serve | run) ;;
    bench) [[ ${arguments[*]-} == serve ]] || fail "what can be measured is: serve" ;;
    clean)
        rm -rf "$top/out"
        [[ ${arguments[*]-} != --all ]] || rm -rf "$cache"
        exit 0
        ;;
    *) usage >&2 && fail "there is no command $command" ;;
    esac

    mkdir -p "$cache" "$top/out"
    trap give_back EXIT
    host_packages
    apt_settings
    tools_tree
    [[ ${arguments[0]-} != -- ]] || arguments=("${arguments[@]:1}")
    case $command in
    build) enter python3 -m image build "${arguments[@]}" ;;
    test)
        enter python3 -m image build
        enter python3 -m pytest "${arguments[@]}"
        ;;
    try)
        enter python3 -m image build
        enter python3 -m tests.lab try "${arguments[@]}"
        ;;
    serve) enter python3 -m image serve "${arguments[@]}" ;;
    bench) enter python3 -m tests.bench.serve ;;
    run) enter "${arguments[@]:?run needs a command}" ;;
    esac
}

main "$@"
