#pragma once
#include "kernmill/run/journal.hpp"

namespace kernmill::exec {

/// kernmill-exec: carries out one attempt on this machine, and journals what became of it.
/// `--run DIR --stage S --instance I --attempt N --job ID [--restart N] [--no-cache] [--time-factor X]`
/// Returns 0 committed, 1 failed, 75 stopped, 2 for an unusable command line, 3 when not even that could be
/// journalled. `hook` hears every record before and after it is durable.
int main(int argc, char** argv, JournalWriter::Hook hook);

}  // namespace kernmill::exec
