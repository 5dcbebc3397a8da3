# shellcheck shell=sh disable=SC2154 # lib.sh, read before, sets here
# What the scenarios with linters share.

run_lintian() {
  # An exit code of 2 is what `--fail-on` makes of a tag; anything else is lintian's own trouble.
  lintian --allow-root --no-cfg --color never --fail-on error,warning "$@" > "$here/lintian" 2>&1 || [ $? -eq 2 ] || {
    cat "$here/lintian"
    fail 'lintian could not run'
  }
}
run_rpmlint() {
  # Its exit code is 64 where there are errors, and 0 where there are warnings only.
  rpmlint --config tests/rpmlint.toml "$@" > "$here/rpmlint" 2>&1 || [ $? -eq 64 ] || {
    cat "$here/rpmlint"
    fail 'rpmlint could not run'
  }
  grep -q 'packages and .* specfiles checked' "$here/rpmlint" || fail 'rpmlint checked nothing'
}
# Each tag at error or warning once: `E: PACKAGE: TAG …` of lintian,
# `PACKAGE.noarch: E: TAG …` of rpmlint.
tags_of_lintian() { sed -n 's/^[EW]: [^ ]*: \([a-z0-9-]*\).*/lintian \1/p' "$here/lintian" | sort -u; }
tags_of_rpmlint() { sed -n 's/^[^ ]*: [EW]: \([a-z0-9-]*\).*/rpmlint \1/p' "$here/rpmlint" | sort -u; }
