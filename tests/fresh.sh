#!/bin/sh
# What README promises, tried on a bare Debian: a minimal root is made with debootstrap, this tree is
# copied into it, and README's commands run there as root, as a user who may not install packages,
# and as one who may use sudo. Nothing of this machine is used but its kernel: no compiler, no
# locale, no /dev/shm, no environment. Each run has its own processes, and none may be left in the end.
#
#     tests/fresh.sh [DIR]          as root, with debootstrap; DIR (a new one under /var/tmp) takes 2 GB
#
# A DIR/base that is there already is used as it is. SUITE and MIRROR as for debootstrap; ONLY="root
# user sudo" picks some of the three; TARGETS="demo test" what is made in each.
set -eu
suite=${SUITE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
top=$(cd "$(dirname "$0")/.." && pwd)
dir=${1:-$(mktemp -d /var/tmp/palimpsestd-fresh-XXXXXX)}
[ "$(id -u)" -eq 0 ] || { echo "fresh.sh: needs root" >&2; exit 1; }

if [ ! -d "$dir/base" ]; then
    mkdir -p "$dir"
    debootstrap --variant=minbase "$suite" "$dir/base.new" "$mirror" >"$dir/debootstrap.log"
    cp /etc/resolv.conf "$dir/base.new/etc/"
    mv "$dir/base.new" "$dir/base"
fi

# make_root NAME: a new root with the committed tree in /src.
make_root() {
    rm -rf --one-file-system "${dir:?}/$1"
    cp -a "$dir/base" "$dir/$1"
    rm -rf "$dir/$1/dev/shm"
    echo "127.0.0.1 localhost $(uname -n)" >"$dir/$1/etc/hosts"
    git -c safe.directory="*" -C "$top" archive --prefix=src/ HEAD | tar -x -C "$dir/$1"
}

# inside NAME: runs the script on stdin in that root, as a machine of its own. Fails if it fails, or
# leaves processes or temporary files behind.
inside() {
    cat >"$dir/$1/run.sh"
    # shellcheck disable=SC2016 # for the shell in there
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        unshare --mount --pid --fork --kill-child sh -uc '
            mount -t proc proc "$0/proc" && mount -t tmpfs -o mode=1777 tmpfs "$0/tmp" || exit
            chroot "$0" sh -eu /run.sh </dev/null || exit
            set -- "$0"/proc/[0-9]* "$0"/tmp/[!.]*
            [ "$#" -eq 2 ] && [ ! -e "$2" ] && exit
            echo "left behind: $*"
            grep -H . "$0"/proc/[0-9]*/comm
            exit 1' "$dir/$1" || { echo "fresh.sh: failed as $1, see $dir/$1"; exit 1; }
}

targets=${TARGETS:-demo test}
for who in ${ONLY:-root user sudo}; do
    echo "==== $who"
    make_root "$who"
    case $who in
    root)
        inside root <<END
            if command -v make cc sudo; then exit 1; fi
            apt-get update -q >/dev/null && apt-get install -y -q make >/dev/null 2>&1
            cd /src
            for target in $targets; do make \$target; done
            make install DESTDIR=/out PREFIX=/opt/p
            find /out -type f
            /out/opt/p/bin/palimpsestd --version
            [ -z "\$(pg_lsclusters -h)" ]
END
        ;;
    user)
        inside user <<END
            apt-get update -q >/dev/null && apt-get install -y -q make >/dev/null 2>&1
            useradd -m guest && chown -R guest /src && cd /src
            if su guest -c "make demo" 2>/tmp/said; then exit 1; fi
            cat /tmp/said
            sed -n 's/^    apt-get/apt-get/p' /tmp/said | grep install >/tmp/command
            sh -eu /tmp/command >/dev/null 2>&1
            rm /tmp/said /tmp/command
            pg_dropcluster --stop \$(pg_lsclusters -h | cut -d' ' -f1,2)
            for target in $targets; do su guest -c "make \$target"; done
END
        ;;
    sudo)
        inside sudo <<END
            apt-get update -q >/dev/null && apt-get install -y -q make sudo >/dev/null 2>&1
            useradd -m guest && chown -R guest /src && cd /src
            echo 'guest ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/guest
            for target in $targets; do su guest -c "make \$target"; done
            [ -z "\$(pg_lsclusters -h)" ]
END
        ;;
    esac
done
echo "fresh.sh: all is well"
