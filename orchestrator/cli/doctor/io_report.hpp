#pragma once
#include <string>

#include "kernmill/report/paint.hpp"
#include "kernmill/workflow/value/value.hpp"

// What `kernmill doctor --io` makes of what `kernmill-storage measure` has measured; nothing else includes
// it.

namespace kernmill::cli::doctor {

/// Which transport a site should ask for, and why, in words.
struct Recommendation {
  std::string transport, why;
};

/// From a measurement's "nodes", "file_system", "auto" and "measures". What `auto` takes is kept unless the
/// other one is faster by a tenth in durable writing and sequential reading together, and right there.
Recommendation recommend(const Json& measured);

/// The measurement as a table: each transport's rate or time, and how fast that is beside raw POSIX.
std::string io_table(const Json& measured, const Paint& paint);

}  // namespace kernmill::cli::doctor
