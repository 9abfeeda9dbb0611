#include "kernmill/storage/checkpoint/checkpoint_directory.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::storage {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "step-", suffix = ".h5";

std::optional<std::uint64_t> step_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  std::uint64_t step = 0;
  const char* end = name.data() + name.size() - suffix.size();
  const auto [at, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc{} && at == end ? std::optional(step) : std::nullopt;
}

/// The first step of each period that has been reached; the period from 0 on has none.
std::set<std::uint64_t> kept_for_good(const std::vector<std::uint64_t>& steps, std::uint64_t period) {
  std::set<std::uint64_t> kept, periods;
  if (period == 0) return kept;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    if (*step >= period && periods.insert(*step / period).second) kept.insert(*step);
  return kept;
}

}  // namespace

fs::path checkpoint_file(const fs::path& directory, std::uint64_t step) {
  return directory / fmt::format("{}{}{}", prefix, step, suffix);
}

bool is_checkpoint(const fs::path& file) {
  return step_of(file).has_value();
}

std::vector<std::pair<std::uint64_t, fs::path>> checkpoints_in(const fs::path& directory) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  if (error) throw system_error(directory, "list it", error.value());
  for (const auto& entry : entries)
    if (const auto step = step_of(entry.path())) found.emplace_back(*step, entry.path());
  std::sort(found.rbegin(), found.rend());
  return found;
}

// A newer one that is still there was found damaged when this training went on from an older one.
std::vector<std::uint64_t> superseded(const std::vector<std::uint64_t>& steps, std::uint64_t newest,
                                      const Retention& retention) {
  const auto for_good = kept_for_good(steps, retention.keep_every);
  std::vector<std::uint64_t> gone;
  int kept = 0;
  for (const std::uint64_t step : steps) {
    const bool stays = step <= newest && (kept < std::max(retention.keep, 2) || for_good.contains(step));
    if (step <= newest) ++kept;
    if (!stays) gone.push_back(step);
  }
  return gone;
}

void remove_superseded(const fs::path& directory, std::uint64_t newest, const Retention& retention) {
  std::vector<std::uint64_t> steps;
  for (const auto& [step, file] : checkpoints_in(directory)) steps.push_back(step);
  for (const std::uint64_t step : superseded(steps, newest, retention))
    remove_quietly(checkpoint_file(directory, step));
}

}  // namespace kernmill::storage
