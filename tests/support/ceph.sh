#!/bin/sh
# ceph.sh DIRECTORY memstore|bluestore: a Ceph of the test's own in a new DIRECTORY: one monitor, one OSD, the pool `reclaim`.
#
# Says `ready` when the pool answers. Then it waits until its standard input ends, which it does when the test process stops it or dies,
# kills both daemons by their process numbers and removes the directory. What tests use: DIRECTORY/ceph.conf, run/osd.0.pid.
#
# memstore starts in a second and forgets all when its OSD ends; bluestore takes several and keeps all.
directory=$1
store=$2

mkdir "$directory" && cd "$directory" && mkdir mon osd run log || exit 1
end() {
  for pid_file in run/osd.0.pid run/mon.a.pid; do
    [ -s "$pid_file" ] && kill -9 "$(cat "$pid_file")" 2>/dev/null
  done
  cd /
  rm -rf "$directory"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

# Commits of the monitor are not waited for, and clients notice quickly; the rest is what one OSD needs.
configure() {
  cat >ceph.conf <<CONF
[global]
fsid = $fsid
mon host = v2:127.0.0.1:$1
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
[mon]
paxos propose interval = 0.05
paxos min wait = 0.01
mon osd down out interval = 0
mon data = $directory/mon
pid file = $directory/run/\$name.pid
admin socket = $directory/run/\$name.asok
log file = $directory/log/\$name.log
[osd]
osd objectstore = $store
bluestore block size = 4294967296
memstore device bytes = 4294967296
osd memory target = 939524096
osd crush update on start = false
osd data = $directory/osd
pid file = $directory/run/\$name.pid
admin socket = $directory/run/\$name.asok
log file = $directory/log/\$name.log
CONF
}

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The port is free when it is looked for; whoever takes it meanwhile costs another try.
start_monitor() {
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    configure "$port"
    rm -rf mon monmap
    mkdir mon
    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$port]" monmap &&
      ceph-mon -c ceph.conf --mkfs -i a --monmap monmap &&
      ceph-mon -c ceph.conf -i a &&
      return
  done
  return 1
}

start() {
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd=$(cat /proc/sys/kernel/random/uuid)
  start_monitor &&
    timeout 30 ceph -c ceph.conf osd new "$osd" &&
    ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$osd" &&
    ceph-osd -c ceph.conf -i 0 &&
    timeout 30 ceph -c ceph.conf osd crush add osd.0 1.0 root=default host=localhost &&
    timeout 30 ceph -c ceph.conf osd pool create reclaim 8 8 replicated &&
    timeout 30 rados -c ceph.conf -p reclaim create first &&
    timeout 30 rados -c ceph.conf -p reclaim rm first
}

start >log/start 2>&1 </dev/null || { tail -n 50 log/start >&2; exit 1; }
echo ready
read -r _
