#include "kernmill/run/submit/generation.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "kernmill/run/submit/batch_job.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view submission_prefix = "submit-";

/// The number that the text begins with, which is taken off it; {} when there is none.
std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// The generation that a journal file belongs to, if it is that of a submission.
std::optional<unsigned> submission_in(std::string_view name) {
  if (!take(name, submission_prefix)) return {};
  const auto number = take_number(name);
  return number && name.starts_with('.') ? number : std::nullopt;
}

}  // namespace

unsigned next_generation(const RunDirectory& run, const RunRecord& record,
                         const std::vector<ClusterJob>& jobs) {
  unsigned newest = record.generations.empty() ? 0 : record.generations.rbegin()->first;
  for (const auto& entry : fs::directory_iterator(run.journal()))
    newest = std::max(newest, submission_in(entry.path().filename().string()).value_or(0));
  for (const ClusterJob& job : jobs)
    if (const auto identity = identity_in(job.comment); identity && identity->run == run.name())
      newest = std::max(newest, identity->generation);
  return newest + 1;
}

bool was_submitted(const RunDirectory& run, const RunRecord& record) {
  if (record.scheduler == "slurm" || !record.generations.empty()) return true;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run.journal(), none))
    if (submission_in(entry.path().filename().string())) return true;
  return false;
}

std::string journal_name(const std::string& job, unsigned generation) {
  return fmt::format("{}-g{}", job, generation);
}

std::optional<JobFile> job_file(std::string_view name) {
  JobFile file;
  const char* const begin = name.data();
  if (!take_number(name)) return {};
  if (take(name, "_") && !take_number(name)) return {};
  file.job.assign(begin, name.data());
  if (take(name, "-g")) {
    const auto generation = take_number(name);
    if (!generation) return {};
    file.generation = *generation;
  }
  if (!take(name, ".")) return {};
  const auto restart = take_number(name);
  if (!restart || !name.starts_with('.')) return {};
  file.restart = *restart;
  return file;
}

BegunJobs::BegunJobs(const fs::path& journal) {
  for (const auto& entry : fs::directory_iterator(journal))
    if (const auto file = job_file(entry.path().filename().string())) {
      unsigned& starts = starts_[{file->job, file->generation}];
      starts = std::max(starts, file->restart + 1);
    }
}

unsigned BegunJobs::starts(const std::string& job, unsigned generation) const {
  const auto of = [&](unsigned number) {
    const auto known = starts_.find({job, number});
    return known == starts_.end() ? 0 : known->second;
  };
  return std::max(of(generation), of(0));
}

}  // namespace kernmill
