#!/bin/busybox sh
# The first process of the machine with the true BlueZ: two daemons, a radio on the second serial line, and two doors.
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin LD_LIBRARY_PATH=/lib
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir -p /run/dbus
# A standard input that never ends, for programs that would.
mkfifo /run/nobody
read -r words </proc/cmdline
for word in $words; do
    case $word in user=*) user=${word#user=} ;; esac
done
printf 'root:x:0:0::/:/bin/sh\nwearer:x:%s:%s::/:/bin/sh\n' "$user" "$user" >/etc/passwd
modprobe -a virtio_pci virtio_net hci_uart drbg jitterentropy_rng
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
dbus-daemon --config-file=/etc/bus.conf --fork
# The bus knows its callers by the user of their process: whoever comes in by this door is the one outside.
if [ "$user" = 0 ]; then
    socat TCP-LISTEN:1,fork,reuseaddr,nodelay UNIX-CONNECT:/run/dbus/system_bus_socket &
else
    socat TCP-LISTEN:1,fork,reuseaddr,nodelay,su-d=wearer UNIX-CONNECT:/run/dbus/system_bus_socket &
fi
socat TCP-LISTEN:2,fork,reuseaddr EXEC:/bin/sh &
/start_bluetoothd &
btattach -B /dev/ttyS1 -P h4 -S 115200 >/run/btattach.log 2>&1 &
echo READY
wait
while true; do sleep 1000; done
