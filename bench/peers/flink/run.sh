#!/bin/sh
# The process that takes requests on standard input; built first by `mvn -B -q package`.
here=$(dirname "$0")
exec java -Xms2g -Xmx4g -XX:+UseG1GC \
  --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
  --add-opens=java.base/java.time=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED \
  -cp "$here/target/flink-peer-1.jar:$here/target/lib/*" mach.bench.Main "$@"
