#!/bin/sh
# The process that takes requests on standard input; built first by `mvn -B -q package`. The options are those that Hazelcast asks for on JDK 17.
here=$(dirname "$0")
exec java -Xms2g -Xmx4g -XX:+UseG1GC \
  --add-modules java.se --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED \
  --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
  --add-opens=java.management/sun.management=ALL-UNNAMED --add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED \
  -Dhazelcast.logging.type=none -Dhazelcast.phone.home.enabled=false \
  -cp "$here/target/jet-peer-1.jar:$here/target/lib/*" mach.bench.JetMain
