#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>

namespace kernmill {

/// How a rank ended, as the SPANK plug-in has seen it from inside its step.
struct RankEnd {
  std::string time, node;
  unsigned rank = 0;
  int exit_code = 0, signal = 0;
  std::uint64_t memory = 0;  ///< bytes at most, as far as sampled; 0: never sampled
};
/// "rank 3 on n2 was the first to fail: signal 9, at most 3.9 GiB".
std::string to_string(const RankEnd& end);

/// Stage, instance, attempt.
using AttemptKey = std::tuple<std::string, unsigned, unsigned>;
/// Of each attempt that has such records in the journal, the rank that failed first: the others are ended
/// after it.
std::map<AttemptKey, RankEnd> first_failed_ranks(const std::filesystem::path& journal);

}  // namespace kernmill
