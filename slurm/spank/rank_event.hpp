#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace kernmill::spank {

/// How one rank of a step ended.
struct RankEnded {
  std::string job;   ///< "12", or "12_3" for an element of an array
  std::string step;  ///< "0", "batch"
  std::string node;
  std::uint32_t rank = 0;
  int pid = 0;
  int status = 0;            ///< as wait gives it
  std::uint64_t memory = 0;  ///< bytes at most, as far as sampled; 0: never sampled
  std::string stage;         ///< empty: a job that was started by hand
  std::optional<unsigned> instance, attempt;
};

/// The line of the journal that says so, with its newline; `time` as in "2026-11-21T04:05:06.123Z".
std::string to_line(const RankEnded& event, const std::string& time);

/// This moment.
std::string utc_timestamp();

}  // namespace kernmill::spank
