#!/bin/sh
# The init of the test's slot: shows on the console what pine's initramfs left, and does what
# the kernel argument `probe=` says.
PATH=/usr/sbin:/sbin:/usr/bin:/bin
exec >/dev/console 2>&1 </dev/console
show() { echo "$1: $(shift; "$@" 2>&1 | tr '\n' ';')"; }
echo '<0>PROBE-BEGIN' >/dev/kmsg
while read -r line; do echo "boot $line"; done </run/pine/boot
while read -r device place type options rest; do echo "mount $place $type ${options%%,*} $device"; done </proc/mounts
show hostname cat /etc/hostname
show pristine-hostname cat /usr/etc/hostname
show key cat /root/.ssh/authorized_keys
show attempts cat /data/pine/attempts/one.log
show mark cat /var/mark
show service stat -c '%a %F' /var/lib/service-of-pine
show template cat /var/lib/service-of-pine/template
show page cat /usr/share/kept/page
show swap tail -n 1 /proc/swaps
show read-ahead cat /sys/block/vda/queue/read_ahead_kb
show motd grep pine /etc/motd
touch /usr/written /boot/written && echo 'the slot is writable'
echo PROBE-END
case $(cat /proc/cmdline) in
*probe=change*)
	echo changed >/etc/hostname
	echo kept >/var/mark
	# As if the next release were the first to have it, and a boot had been cut while it was brought along.
	rm -r /var/lib/service-of-pine
	echo older >/data/pine/brought
	mkdir -p /etc/pine
	printf '/usr/share/kept\n/etc/never\n/usr/share/nothing\n' >/etc/pine/state.list
	sync
	;;
*probe=hang*) sleep 60; echo 'still here after a minute' ;;
*probe=confirm*)
	deadlines() { echo "$1 confirming: $(ps | grep -c '[d]eadline [0-9]') deadline processes"; }
	deadlines before
	: >/run/pine/confirmed
	sleep 3
	deadlines after
	;;
esac
poweroff -f
