#!/usr/bin/env python3
"""Prints the primes of [begin, begin + width), by a sieve of that interval.

  primes.py 20000 1000
"""

import math
import sys


def primes(begin, end):
    is_prime = [number >= 2 for number in range(begin, end)]
    for factor in range(2, math.isqrt(max(end - 1, 0)) + 1):
        for multiple in range(max(factor * factor, -(-begin // factor) * factor), end, factor):
            is_prime[multiple - begin] = False
    return [begin + i for i, prime in enumerate(is_prime) if prime]


if __name__ == "__main__":
    first, width = int(sys.argv[1]), int(sys.argv[2])
    print(*primes(first, first + width), sep="\n")
