#!/bin/busybox sh
# As the system's own service: a daemon that crashed is started again, one that is not wanted stays away.
export LD_LIBRARY_PATH=/lib
touch /run/wanted
while [ -e /run/wanted ]; do
    /usr/libexec/bluetooth/bluetoothd -n -d >>/run/bluetoothd.log 2>&1 </dev/null
    echo "bluetoothd ended with $?" >>/run/bluetoothd.log
    sleep 1
done
