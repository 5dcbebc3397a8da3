# shellcheck shell=sh disable=SC2034 # the scenarios use what is set here
# What the scenarios share. Each is started by tests/real/run, or by hand, and
# works in target/real/NAME, which is emptied first and kept for a look after.
set -eu

cd "$(dirname "$0")/../.."
top=$PWD
real=$top/target/real
modules=$real/modules
here=$real/$(basename "$0")
localpuppet=$top/target/debug/localpuppet
# Neither of the machine's settings may reach a scenario.
unset LOCALPUPPET_ROOT LOCALPUPPET_ENC LOCALPUPPET_PUPPET LOCALPUPPET_MODULE_ROOT
unset LOCALPUPPET_PACKAGE_MANAGER LOCALPUPPET_MAINTAINER SOURCE_DATE_EPOCH

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

# The step that runs now: what a failed scenario was about.
step() { printf '== %s\n' "$*"; }

# expect_exit CODE COMMAND…: its output goes to $here/output and is shown.
expect_exit() {
  wanted=$1
  shift
  found=0
  "$@" > "$here/output" 2>&1 || found=$?
  cat "$here/output"
  [ "$found" -eq "$wanted" ] || fail "exit code $found instead of $wanted: $*"
}

# expect_output TEXT: the last expect_exit printed it.
expect_output() {
  grep -qF -- "$1" "$here/output" || fail "not in the output: $1"
}

# expect_absent PATH…
expect_absent() {
  for path in "$@"; do
    if [ -e "$path" ] || [ -L "$path" ]; then fail "still there: $path"; fi
  done
}

# expect_same NAME EXPECTED FOUND: two files, their difference shown.
expect_same() {
  diff -u "$2" "$3" || fail "$1 differs"
}

# Starts the scenario again with mounts and a host name of its own, and memory below /mnt.
own_mounts() {
  if [ "${OWN_MOUNTS:-}" != "$here" ]; then
    OWN_MOUNTS=$here exec unshare --mount --uts "$0"
  fi
  mount -t tmpfs tmpfs /mnt
}

# The clean Debian system below $here/system; what changes is kept in memory. A copy, where the kernel
# has no overlayfs. Needs own_mounts.
fresh_system() {
  mkdir "$here/system" /mnt/changes /mnt/work
  mount -t overlay -o "lowerdir=$real/debian,upperdir=/mnt/changes,workdir=/mnt/work" overlay "$here/system" ||
    cp -a "$real/debian/." "$here/system"
}

# enter COMMAND…: runs it inside that system with its own processes, mounts and
# host name. Its /dev is the machine's, the network too.
enter() {
  # shellcheck disable=SC2016 # expands in the inner shell
  unshare --mount --pid --uts --fork --kill-child sh -euc '
    system=$1
    shift
    hostname node
    mount -t proc proc "$system/proc"
    mount --rbind /sys "$system/sys"
    mount --rbind /dev "$system/dev"
    mount -t tmpfs tmpfs "$system/run"
    mkdir "$system/run/lock"
    exec chroot "$system" env -i HOME=/root LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  ' sh "$here/system" "$@"
}

# enc_of_five: the ENC of a node that applies the release `five`.
enc_of_five() { printf 'app: five/tags/r1\nclasses:\n  five:\n'; }

# expect_five_applied: its catalog has changed that system, in every part.
expect_five_applied() {
  node=$here/system
  cat > "$here/summary" <<'TEXT'
motto: from the module's own data
shouted: IT WORKS!
fact: a fact of the bundle
root's home, by a fact of stdlib: /root
soft limit: 1024
hard limit: 4096
TEXT
  expect_same 'an EPP template with facts, data and a function' "$here/summary" "$node/etc/five/summary"
  printf 'first\nsecond\n' > "$here/lines"
  expect_same 'a type of stdlib' "$here/lines" "$node/etc/five/lines"
  printf 'start\nend\n' > "$here/assembled"
  expect_same 'types of concat' "$here/assembled" "$node/etc/five/assembled"
  cat > "$here/password" <<'TEXT'
hash: *8F47ACD4C8303C4BBD339F8CB982E9D713652C3B
encoded: Zml2ZQ==
TEXT
  expect_same 'an ERB template with functions of mysql and stdlib' "$here/password" "$node/etc/five/password"
  cmp "$modules/five/tags/r1/five/files/plain.txt" "$node/etc/five/plain" || fail 'a file of the bundle differs'
  grep -q '^max_connections = 55$' "$node/etc/mysql/my.cnf" || fail 'mysql is not configured'
  grep -q Install-Suggests "$node/etc/apt/apt.conf.d/50five" || fail 'apt is not configured'
  expect_exit 0 enter apache2ctl configtest
}

# apt_repository DIR PACKAGE…: an unsigned one of one suite, to be trusted by path.
apt_repository() {
  repository=$1
  shift
  mkdir -p "$repository"
  cp -- "$@" "$repository"
  (
    cd "$repository"
    apt-ftparchive packages . > Packages
    apt-ftparchive release . > Release.new
    mv Release.new Release
  )
}

rm -rf "$here"
mkdir -p "$here"
