#!/bin/sh
# Writes the digest of every image of compose.yaml into .env, so that the same bytes run until this is run again. Needs docker and a registry.
set -eu
cd "$(dirname "$0")/.."

pin() {
  digest=$(docker buildx imagetools inspect "$2" --format '{{.Manifest.Digest}}')
  case "$digest" in
    sha256:*) ;;
    *) echo "no digest for $2" >&2; exit 1 ;;
  esac
  touch .env
  grep -v "^$1=" .env > .env.new || true
  echo "$1=$2@$digest" >> .env.new
  mv .env.new .env
  echo "$1=$2@$digest"
}

pin NATS_IMAGE nats:2.15.1-alpine
pin CLICKHOUSE_IMAGE clickhouse/clickhouse-server:26.7
pin GRAFANA_IMAGE grafana/grafana:13.2.3
pin NODE_IMAGE node:20.19-bookworm-slim
