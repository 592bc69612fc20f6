#!/usr/bin/env bash
# What the machine with the true BlueZ is made of, from Debian's packages into FOLDER: bash tests/rigs/fetch.sh FOLDER
# Nothing is installed: kernel, daemons and their libraries are unpacked there and run in the emulator alone.
set -euo pipefail

folder=$(realpath -m "$1")
# The generic kernel, since that for clouds has no Bluetooth.
kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
if [[ -z "$kernel" ]]; then
    echo "fetch.sh: apt knows no linux-image-amd64: sudo apt-get update" >&2
    exit 1
fi
programs=(bluez dbus-daemon socat)
mapfile -t libraries < <(
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        "${programs[@]}" | grep -E '^z?lib' | grep -v -e perl -e elogind | sort -u
)
wanted=("$kernel" busybox-static "${programs[@]}" "${libraries[@]}")
if [[ -f "$folder/complete" && "$(cat "$folder/complete")" == "${wanted[*]}" ]]; then
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/packages" "$folder/root"
cd "$folder/packages"
apt-get download -qq "${wanted[@]}" 2>/dev/null
for package in *.deb; do
    # of the kernel's drivers those that the machine has
    dpkg-deb --fsys-tarfile "$package" | tar --extract --directory "$folder/root" --keep-directory-symlink \
        --exclude='*/kernel/drivers/[!bntv]*' --exclude='*/kernel/drivers/net/[!vn]*' --exclude='*/kernel/sound' \
        --exclude='*/kernel/fs' --exclude='*/usr/share'
done
rm -rf "$folder/packages"
"$folder/root/bin/busybox" depmod -b "$folder/root" "${kernel#linux-image-}"
printf '%s' "${wanted[*]}" >"$folder/complete"
