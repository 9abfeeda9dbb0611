#!/usr/bin/env bash
# hardened.sh PROGRAM...: fails, and names the program, unless each is position-independent, has its relocations
# read-only once it runs, an unexecutable stack, and checks its stack frames and the copies it makes.
set -euo pipefail
status=0
for program in "$@"; do
  missing=
  dynamic=$(readelf -dW "$program") headers=$(readelf -lW "$program") symbols=$(readelf -sW "$program")
  [[ $dynamic == *'FLAGS_1'*NOW*PIE* ]] || missing+=' pie,now'
  [[ $headers == *GNU_RELRO* ]] || missing+=' relro'
  grep -q 'GNU_STACK.* RW ' <<<"$headers" || missing+=' stack'
  [[ $symbols == *__stack_chk_fail* ]] || missing+=' stack-protector'
  grep -q "__[a-z]*_chk@" <<<"$symbols" || missing+=' fortify'
  [[ -z $missing ]] || { printf '%s lacks:%s\n' "$program" "$missing"; status=1; }
done
exit $status
