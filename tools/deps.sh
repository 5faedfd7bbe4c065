#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/deps.sh DEST - fetch and build the third-party code of this project.
#
# The code comes from the source packages of the Debian release this machine
# runs, through the apt sources it already has; "deb-src" need not be on, and
# nothing outside DEST is written.  apt checks every file against the signed
# index.  Results:
#
#   DEST/lwip/src/...                 lwIP, pristine but for Debian's CVE fixes
#   DEST/prefix/include               headers of the two libraries
#   DEST/prefix/lib/libmicrohttpd.a   HTTP server: no TLS, epoll, postprocessor
#   DEST/prefix/lib/libcurl.a         HTTP client: no TLS, multipart, Unix sockets
#
# Also in DEST: src (downloads), log, stamp, and apt and build (scratch).
# A dependency whose stamp (version, hash of recipe) still holds is left alone.
# Downloads are kept and used again; remove DEST/src to look for newer packages.
#
# Needs: apt, dpkg-dev, gcc, libc6-dev, make.

set -euo pipefail
export LC_ALL=C
umask 022
# What a make that calls this script hands down is not meant for these builds.
unset MAKEFLAGS MFLAGS MAKELEVEL CPPFLAGS LDFLAGS LIBS CONFIG_SITE PKG_CONFIG_PATH

cflags='-O2 -g -fPIE -ffunction-sections -fdata-sections'
cc=${CC:-gcc}
jobs=$(nproc)

# The upstream versions this project is written for.
declare -A pin=([lwip]=2.1.3 [libmicrohttpd]=0.9.75 [curl]=7.88)

# What each recipe leaves behind, relative to DEST.
declare -A product=(
    [lwip]=lwip/src/include/lwip/init.h
    [libmicrohttpd]=prefix/lib/libmicrohttpd.a
    [curl]=prefix/lib/libcurl.a
)

say() { printf 'tools/deps: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

# attempt WHAT LOG COMMAND...: run COMMAND, its output appended to DEST/log/LOG.log.
attempt() {
    local what=$1 log=$dest/log/$2.log
    shift 2
    printf '+ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null || die "cannot $what: see $log"
}

# --- Recipes: each runs in the unpacked source of its package -----------------

# Debian's other patches change sockets.c for its own port, with its own bugs,
# so the source is unpacked without patches and only the CVE fixes are applied.
recipe_lwip() {
    local fix
    for fix in debian/patches/CVE-*; do
        [ ! -e "$fix" ] || attempt "apply $fix to lwip" lwip patch -p1 -i "$fix"
    done
    rm -rf "$dest/lwip"
    mv "$PWD" "$dest/lwip"
}

recipe_libmicrohttpd() {
    attempt 'configure libmicrohttpd' libmicrohttpd ./configure \
        CC="$cc" CFLAGS="$cflags" --prefix="$dest/prefix" --libdir="$dest/prefix/lib" \
        --disable-dependency-tracking --disable-shared --enable-static \
        --disable-https --enable-epoll --enable-postprocessor \
        --disable-nls --disable-doc --disable-examples --disable-curl
    attempt 'build libmicrohttpd' libmicrohttpd make -j"$jobs" -C src/microhttpd libmicrohttpd.la
    attempt 'install libmicrohttpd' libmicrohttpd make -C src/microhttpd install-libLTLIBRARIES
    attempt 'install the libmicrohttpd headers' libmicrohttpd make -C src/include install
}

recipe_curl() {
    attempt 'configure curl' curl ./configure \
        CC="$cc" CFLAGS="$cflags" --prefix="$dest/prefix" --libdir="$dest/prefix/lib" \
        --disable-dependency-tracking --disable-shared --enable-static \
        --enable-http --enable-mime --enable-unix-sockets \
        --disable-{dict,file,ftp,gopher,imap,ldap,ldaps,mqtt,pop3,rtsp,smb,smtp,telnet,tftp} \
        --disable-{alt-svc,ares,doh,hsts,netrc,ntlm,ntlm-wb,threaded-resolver,tls-srp,websockets} \
        --disable-{manual,libcurl-option} \
        --without-{brotli,ca-bundle,ca-path,gssapi,hyper,libgsasl,libidn2,libpsl,librtmp} \
        --without-{libssh,libssh2,msh3,nghttp2,nghttp3,ngtcp2,quiche,ssl,zlib,zstd}
    attempt 'build curl' curl make -j"$jobs" -C lib libcurl.la
    attempt 'install curl' curl make -C lib install-libLTLIBRARIES
    attempt 'install the curl headers' curl make -C include install
}

# recipe_hash NAME: one word that changes when what is built would.
recipe_hash() {
    {
        echo "$1 ${pin[$1]} $cflags"
        "$cc" --version
        declare -f "recipe_$1" build
    } | sha256sum | cut -d' ' -f1
}

# --- Downloading --------------------------------------------------------------

# A private apt configuration: this machine's sources, turned into source-package
# entries, with lists and cache in DEST, and without its hooks after an update.
configure_apt() {
    local apt=$dest/apt list='' parts='' file
    rm -rf "$apt"
    mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
    cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
Dir::State::Lists "$apt/lists";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
    eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
    for file in "$list" "$parts"/*.list "$parts"/*.sources; do
        [ -r "$file" ] || continue
        case $file in
        *.sources) sed 's/^Types:.*/Types: deb-src/I' "$file" ;;
        *) sed -nE '/cdrom:/d; s/^[[:space:]]*deb(-src)?[[:space:]]+/deb-src /p' "$file" | sort -u ;;
        esac >"$apt/sources/$([ "$file" = "$list" ] && echo machine-)${file##*/}"
    done
    grep -q deb-src -r "$apt/sources" || die "cannot find any apt source on this machine"
}

# offered NAME: the newest version the apt sources have that fits the pin, or,
# with status 1, all the versions they have.
offered() {
    local version all='' best=''
    while read -r version; do
        all+=" $version"
        case ${version#*:} in
        "${pin[$1]}" | "${pin[$1]}"[!0-9]*) best=$version ;;
        esac
    done < <(apt-cache -c "$dest/apt/apt.conf" showsrc --only-source "$1" 2>>"$dest/log/apt.log" |
        sed -n 's/^Version: //p' | sort -V)
    [ -z "$best" ] || { echo "$best"; return; }
    echo "${all:- nothing}"
    return 1
}

# download NAME: its source package into DEST/src, its version into NAME.version.
# Reads the lists of packages at most once.
download() {
    local version
    if [ -z "${lists_read:-}" ]; then
        say 'reading the lists of source packages'
        configure_apt
        # A failing third-party source need not matter: what counts is what is offered.
        apt-get -c "$dest/apt/apt.conf" update >"$dest/log/apt.log" 2>&1 ||
            say "some lists could not be read: see $dest/log/apt.log"
        lists_read=yes
    fi
    version=$(offered "$1") ||
        die "cannot use $1: version ${pin[$1]} is needed and apt offers$version: see $dest/log/apt.log"
    say "downloading $1 $version"
    cd "$dest/src"
    attempt "download $1" "$1" \
        apt-get -c "$dest/apt/apt.conf" source --download-only --only-source "$1=$version"
    cd "$dest"
    echo "$version" >"$dest/src/$1.version"
}

# --- One dependency -----------------------------------------------------------

build() {
    local name=$1 version=$2 unpack=()
    [ "$name" != lwip ] || unpack=(--skip-patches)
    say "building $name $version"
    attempt "unpack $name" "$name" dpkg-source --no-copy "${unpack[@]}" \
        -x "$dest/src/${name}_${version#*:}.dsc" "$dest/build/$name"
    cd "$dest/build/$name"
    "recipe_$name"
    cd "$dest"
    rm -rf "$dest/build/$name" "$dest"/prefix/lib/*.la
}

dependency() {
    local name=$1 stamp=$dest/stamp/$1 hash version=''
    hash=$(recipe_hash "$name")
    if [ -e "$dest/${product[$name]}" ] && [ -e "$stamp" ]; then
        read -r version _ <"$stamp"
        if [ "$(cat "$stamp")" = "$version $hash" ]; then
            say "$name $version is up to date"
            return
        fi
    fi
    rm -rf "$stamp" "$dest/build/$name"
    : >"$dest/log/$name.log"
    version=$(cat "$dest/src/$name.version" 2>/dev/null) || version=
    case ${version#*:} in
    "${pin[$name]}" | "${pin[$name]}"[!0-9]*) ;;
    *)
        download "$name"
        version=$(cat "$dest/src/$name.version")
        ;;
    esac
    build "$name" "$version"
    [ -e "$dest/${product[$name]}" ] || die "cannot find ${product[$name]} after building $name: see $dest/log/$name.log"
    echo "$version $hash" >"$stamp"
}

[ $# -eq 1 ] || die 'usage: tools/deps.sh DEST'
case $1 in *[!A-Za-z0-9_./+-]*) die "cannot use the folder '$1': its name has characters that configure scripts refuse" ;; esac
for tool in apt-get dpkg-source patch "$cc" make; do
    command -v "$tool" >/dev/null ||
        die "cannot find $tool: install the packages apt, dpkg-dev, gcc, libc6-dev and make"
done
mkdir -p "$1"/{build,log,prefix,src,stamp} 2>/dev/null || die "cannot make the folder $1"
dest=$(cd "$1" && pwd -P)
exec 9>"$dest/lock"
flock 9

for name in lwip libmicrohttpd curl; do
    dependency "$name"
done
say "everything is in $dest"
