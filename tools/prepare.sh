# Sourced by tools/start and tools/test: what they need from the system, and the build.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '==> %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

build_packages=(
    clang-19 lld-19 libclang-rt-19-dev libstdc++-12-dev cmake ninja-build ccache
    libboost1.81-dev libboost-json1.81-dev libexpected-dev libspdlog-dev libfmt-dev libcli11-dev
    catch2 libssl-dev libxxhash-dev libmimalloc-dev ca-certificates curl
)

# install_packages NAME...: installs those that are missing; asks dpkg alone when none is.
install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian system: expecting what these packages hold to be installed: $*"
        return
    fi
    local name missing=() as_root=()
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
    done
    ((${#missing[@]})) || return 0

    local by_hand="apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root, run: $by_hand"
        as_root=(sudo)
        say "sudo may ask for your password, to install packages"
    fi
    say "installing ${missing[*]}"
    # Old lists name packages that the mirror no longer has.
    "${as_root[@]}" apt-get update -q >&2 ||
        die "apt-get update failed: check the network and /etc/apt/sources.list*, then run this again"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2 ||
        die "the packages could not be installed (they are Debian 12's); see apt's message above, or as root run: $by_hand"
}

# Any node will do, so a newer one than Debian's, from elsewhere, is left alone.
install_node() {
    local missing=()
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    ((${#missing[@]})) || return 0
    install_packages "${missing[@]}"
}

# install_node_modules FOLDER: what its package-lock.json asks for, once per change of it.
install_node_modules() {
    local folder=$1
    [[ -f $folder/package-lock.json ]] || return 0
    [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && return 0
    say "npm ci in ${folder#"$repo"/}"
    (cd "$folder" && npm ci --no-audit --no-fund) >&2 ||
        die "npm could not fetch the test's packages: check the network (or npm's registry setting), then run this again"
    touch "$folder/node_modules/.package-lock.json"
}

# build PRESET [TARGET...]
build() {
    local preset=$1
    shift
    cd "$repo" || exit 1
    say "configuring $preset"
    cmake --preset "$preset" >"$repo/build/configure-$preset.log" 2>&1 || {
        cat "$repo/build/configure-$preset.log" >&2
        die "configuring failed, see above; if the folder was moved or the tools changed, delete build/$preset and run this again"
    }
    say "building $preset"
    cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"} >&2 || die "the build failed, see above"
}

mkdir -p "$repo/build" || die "cannot write to $repo/build"
