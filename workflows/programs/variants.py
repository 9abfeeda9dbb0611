#!/usr/bin/env python3
"""Made-up reads, their places in a genome, and the variants that they show: small stand-ins for bwa, samtools and bcftools.

  variants.py genome genome.fa --length 4000 --seed 42
  variants.py reads genome.fa --sample A --seed 42 --reads reads.fq --truth truth.csv
  variants.py map genome.fa reads.fq --mapped mapped.tsv --metrics metrics.txt
  variants.py call genome.fa gathered.csv --calls calls.csv --metrics metrics.txt
  variants.py report calls.csv gathered.csv --plot qualities.svg --metrics metrics.txt
"""

import argparse
import collections
import csv
import math
import random

BASES = "ACGT"
READ_LENGTH, DEPTH, ERROR_RATE, SEED_LENGTH = 60, 20, 0.005, 15
VARIANTS = 12  # of a sample; half of them all samples share


def write_table(path, names, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(names)
        table.writerows(rows)


def add_metrics(path, **metrics):
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in metrics.items())


def read_genome(path):
    with open(path, encoding="utf-8") as file:
        return "".join(line.strip() for line in file if not line.startswith(">"))


def make_genome(arguments):
    numbers = random.Random(arguments.seed)
    bases = "".join(numbers.choice(BASES) for _ in range(arguments.length))
    with open(arguments.genome, "w", encoding="utf-8") as file:
        file.write(">chr1\n")
        file.writelines(bases[i:i + 60] + "\n" for i in range(0, len(bases), 60))


def variants_of(genome, sample, seed):
    """Place -> another base. No two lie within a seed's length, nor any at an end."""
    chosen = {}
    for numbers, count in ((random.Random(f"shared {seed}"), VARIANTS // 2),
                           (random.Random(f"{sample} {seed}"), VARIANTS)):
        while len(chosen) < count:
            place = numbers.randrange(READ_LENGTH, len(genome) - READ_LENGTH)
            if all(abs(place - other) > SEED_LENGTH for other in chosen):
                chosen[place] = numbers.choice([base for base in BASES if base != genome[place]])
    return chosen


def make_reads(arguments):
    genome = read_genome(arguments.genome)
    variants = variants_of(genome, arguments.sample, arguments.seed)
    own = "".join(variants.get(place, base) for place, base in enumerate(genome))
    numbers = random.Random(f"reads of {arguments.sample} {arguments.seed}")
    with open(arguments.reads, "w", encoding="utf-8") as file:
        for number in range(DEPTH * len(genome) // READ_LENGTH):
            begin = numbers.randrange(len(own) - READ_LENGTH + 1)
            bases = "".join(numbers.choice(BASES) if numbers.random() < ERROR_RATE else base
                            for base in own[begin:begin + READ_LENGTH])
            file.write(f"@{arguments.sample}.{number}\n{bases}\n+\n{'I' * READ_LENGTH}\n")
    write_table(arguments.truth, ["sample", "position", "reference", "alternative"],
                [(arguments.sample, place + 1, genome[place], base) for place, base in sorted(variants.items())])


def mismatches(genome, begin, read):
    return sum(a != b for a, b in zip(genome[begin:begin + len(read)], read))


def place_of(read, genome, index):
    """The best place of a read among those that one of its seeds has; None when it fits nowhere."""
    begins = {place - offset for offset in range(0, len(read) - SEED_LENGTH + 1, SEED_LENGTH)
              for place in index.get(read[offset:offset + SEED_LENGTH], ())}
    fits = [(mismatches(genome, begin, read), begin) for begin in begins if 0 <= begin <= len(genome) - len(read)]
    return min(fits, default=(len(read), None))[1] if fits and min(fits)[0] <= 6 else None


def map_reads(arguments):
    genome = read_genome(arguments.genome)
    index = collections.defaultdict(list)
    for place in range(len(genome) - SEED_LENGTH + 1):
        index[genome[place:place + SEED_LENGTH]].append(place)
    count = mapped = 0
    with open(arguments.reads, encoding="utf-8") as reads, open(arguments.mapped, "w", encoding="utf-8") as out:
        for name, bases, _, _ in zip(*[(line.strip() for line in reads)] * 4):
            begin = place_of(bases, genome, index)
            count += 1
            if begin is not None:
                mapped += 1
                out.write(f"{begin + 1}\t{name[1:]}\t{bases}\n")
    add_metrics(arguments.metrics, reads=count, mapped=mapped)


def gathered(path, artifact):
    """The files that the instances of a stage have left: a column of Kernmill's table of them."""
    with open(path, newline="", encoding="utf-8") as file:
        return [row[artifact] for row in csv.DictReader(file)]


def call(arguments):
    """A variant of a sample: at least 6 of its bases there agree on it, and four fifths of them."""
    genome = read_genome(arguments.genome)
    seen = collections.defaultdict(collections.Counter)  # (sample, place) -> base -> how often
    samples = gathered(arguments.gathered, "sorted.tsv")
    for path in samples:
        with open(path, encoding="utf-8") as file:
            for line in file:
                position, name, bases = line.split()
                for offset, base in enumerate(bases):
                    seen[name.split(".")[0], int(position) - 1 + offset][base] += 1
    rows = []
    for (sample, place), counts in sorted(seen.items()):
        base, count = counts.most_common(1)[0]
        depth = sum(counts.values())
        if base != genome[place] and count >= 6 and count >= 0.8 * depth:
            quality = -10 * (count * math.log10(ERROR_RATE / 3) + math.log10(math.comb(depth, count)))
            rows.append((sample, place + 1, genome[place], base, depth, round(quality, 2)))
    write_table(arguments.calls, ["sample", "position", "reference", "alternative", "depth", "quality"], rows)
    add_metrics(arguments.metrics, calls=len(rows), samples=len(samples))


def read_variants(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {(row["sample"], row["position"], row["alternative"]): row for row in csv.DictReader(file)}


def report(arguments):
    calls = read_variants(arguments.calls)
    truth = {variant for path in gathered(arguments.gathered, "truth.csv") for variant in read_variants(path)}
    right = len(truth & calls.keys())
    add_metrics(arguments.metrics, true_variants=len(truth), found=right,
                precision=right / max(len(calls), 1), recall=right / max(len(truth), 1))
    bars = collections.Counter(int(float(row["quality"]) // 50) for row in calls.values())
    with open(arguments.plot, "w", encoding="utf-8") as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" width="480" height="240" font-size="10">\n')
        file.write('<text x="10" y="15">calls by quality</text>\n')
        for i in range(max(bars, default=0) + 1):
            height = 180 * bars[i] / max(bars.values())
            file.write(f'<rect x="{10 + 30 * i}" y="{210 - height:.1f}" width="26" height="{height:.1f}"/>\n'
                       f'<text x="{10 + 30 * i}" y="225">{50 * i}</text>\n')
        file.write("</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("genome")
    one.add_argument("genome")
    one.add_argument("--length", type=int, required=True)
    one.add_argument("--seed", type=int, required=True)
    one.set_defaults(work=make_genome)
    one = commands.add_parser("reads")
    one.add_argument("genome")
    one.add_argument("--sample", required=True)
    one.add_argument("--seed", type=int, required=True)
    one.add_argument("--reads", required=True)
    one.add_argument("--truth", required=True)
    one.set_defaults(work=make_reads)
    one = commands.add_parser("map")
    one.add_argument("genome")
    one.add_argument("reads")
    one.add_argument("--mapped", required=True)
    one.add_argument("--metrics", required=True)
    one.set_defaults(work=map_reads)
    one = commands.add_parser("call")
    one.add_argument("genome")
    one.add_argument("gathered")
    one.add_argument("--calls", required=True)
    one.add_argument("--metrics", required=True)
    one.set_defaults(work=call)
    one = commands.add_parser("report")
    one.add_argument("calls")
    one.add_argument("gathered")
    one.add_argument("--plot", required=True)
    one.add_argument("--metrics", required=True)
    one.set_defaults(work=report)
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
