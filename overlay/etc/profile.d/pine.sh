# What whoever logs in should know: a trial and its tries, a rollback. pinectl keeps the text in /run; before
# boot-complete has begun there is only what the initramfs left. Nothing in /etc is written for it.
case $- in
*i*)
	if [ -s /run/pine/notice ]; then
		cat /run/pine/notice
	elif [ ! -e /run/pine/confirmed ] && grep -qsx choice=trial /run/pine/boot; then
		echo 'pine: this system is on trial (pinectl status)'
	fi
	;;
esac
