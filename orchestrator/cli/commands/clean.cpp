#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/acting.hpp"
#include "kernmill/cli/runs/audited.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/cache/cache.hpp"
#include "kernmill/run/cache/own_cache.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/run/submit/removal.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

/// "12h", "30d", "2w"; a bare number is days.
std::chrono::seconds age_in(const std::string& text) {
  constexpr double day = 86400, longest = 36500 * day;
  char* unit = nullptr;
  const double number = std::strtod(text.c_str(), &unit);
  const std::string_view rest(unit);
  const double seconds = rest == "h" ? 3600 : rest == "w" ? 7 * day : rest.empty() || rest == "d" ? day : 0;
  const bool is_plain = text.find_first_of("0123456789.") == 0 && text.find_first_of("xXeE") == text.npos;
  if (!is_plain || unit == text.c_str() || seconds == 0)
    throw UsageError(fmt::format("--older-than takes an age such as 12h, 30d or 2w, not '{}'", text));
  if (number * seconds > longest)
    throw UsageError(fmt::format("--older-than takes at most 36500d, not '{}'", text));
  return std::chrono::seconds(static_cast<long long>(number * seconds));
}

/// When the run was made: its name says so, in UTC.
std::chrono::system_clock::time_point made_at(const RunDirectory& run) {
  const std::string name = run.name();
  std::tm parts{};
  const std::string stamp = name.substr(name.size() - 20, 15);
  strptime(stamp.c_str(), "%Y%m%d-%H%M%S", &parts);
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

/// Bytes that removing folders gives back. A file that several of them hold by hard links counts once, with
/// the last of them, and nothing as long as anybody else holds it.
class FreedBytes {
 public:
  std::uintmax_t of(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(folder, none)) {
      struct stat status {};
      if (::lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      const auto links = status.st_nlink == 1 ? 1 : ++seen_[{status.st_dev, status.st_ino}];
      if (links == status.st_nlink) bytes += static_cast<std::uintmax_t>(status.st_size);
    }
    return bytes;
  }

 private:
  std::map<std::pair<dev_t, ino_t>, nlink_t> seen_;  ///< links that were met
};

/// Another run that reads files of this one where they lie; empty: none does.
std::string reader_of(const RunDirectory& run) {
  const std::string place = run.root().string() + "/";
  for (const RunDirectory& other : list_runs(run.root().parent_path())) {
    if (other.name() == run.name()) continue;
    const auto plan = read_own_file(newest_plan(other));
    if (plan && plan->find(place) != std::string::npos) return other.name();
  }
  return {};
}

/// Whether the newest result of any instance, as the cache knows it, lies in this run.
bool holds_newest_results(const RunDirectory& run, const Cache& cache) {
  const auto plan = plan_of(run);
  if (!plan) return false;
  for (const auto& [key, instance] : fold_journal(run.journal()).instances) {
    if (!instance.committed) continue;
    const auto newest = cache.newest(plan->workflow().name, key.first, key.second);
    if (newest && newest->run == run.name()) return true;
  }
  return false;
}

/// Why somebody may still want it. Who names a run knows what is in it.
std::string why_wanted(const RunDirectory& run, bool named) {
  DigestStore digests(run.root().parent_path());
  if (!named && holds_newest_results(run, Cache(run.root().parent_path(), digests)))
    return "holds the newest results of its workflow (kernmill clean with its name removes it all the same)";
  const std::string reader = reader_of(run);
  return reader.empty() ? "" : fmt::format("{} reads files of it (--force removes it all the same)", reader);
}

struct Candidate {
  RunDirectory run;
  std::string why_kept;  ///< empty: it goes
  std::uintmax_t bytes = 0;
};

/// The runs that the user means; those by age and number when none is named.
std::vector<RunDirectory> chosen_runs(const Arguments& arguments) {
  std::vector<RunDirectory> runs;
  for (const std::string& name : arguments.texts("run")) runs.push_back(run_to_act_on(arguments, name));
  if (!runs.empty()) return runs;
  if (!arguments.has("older-than") && !arguments.has("keep"))
    throw UsageError("kernmill clean: say which runs", "name them, or use --older-than 30d or --keep 5");
  runs = own_runs(arguments);
  const auto keep = static_cast<std::size_t>(arguments.number("keep").value_or(0));
  runs.erase(runs.end() - static_cast<std::ptrdiff_t>(std::min(keep, runs.size())), runs.end());
  if (!arguments.has("older-than")) return runs;
  const auto limit = std::chrono::system_clock::now() - age_in(arguments.text("older-than"));
  std::erase_if(runs, [&](const RunDirectory& run) { return made_at(run) > limit; });
  return runs;
}

/// The cluster, opened when the first run needs it. One that does not answer is not asked again.
class LazyCluster {
 public:
  Cluster& operator()() {
    if (silence_) throw *silence_;
    try {
      if (!cluster_) cluster_ = open_slurm();
      return *cluster_;
    } catch (const ClusterError& error) {
      silence_ = error;
      throw;
    }
  }

 private:
  std::unique_ptr<Cluster> cluster_;
  std::optional<ClusterError> silence_;
};

std::vector<Candidate> examine(const std::vector<RunDirectory>& runs, const Arguments& arguments,
                               LazyCluster& cluster) {
  std::vector<Candidate> candidates;
  const bool named = !arguments.texts("run").empty();
  for (const RunDirectory& run : runs) {
    Candidate candidate{run, why_left_alone(run, arguments)};
    if (candidate.why_kept.empty()) candidate.why_kept = why_it_stays(run, std::ref(cluster));
    if (candidate.why_kept.empty() && !arguments.has("force")) candidate.why_kept = why_wanted(run, named);
    candidates.push_back(std::move(candidate));
  }
  FreedBytes freed;
  for (const bool goes : {true, false})  // what stays holds its files
    for (Candidate& candidate : candidates)
      if (candidate.why_kept.empty() == goes) candidate.bytes = freed.of(candidate.run.root());
  return candidates;
}

void show(const std::vector<Candidate>& candidates, bool removed, const Arguments& arguments) {
  Json list = Json::array();
  TextTable table({TextTable::Align::left, TextTable::Align::right, TextTable::Align::left});
  for (const Candidate& candidate : candidates) {
    const bool goes = candidate.why_kept.empty();
    const std::string what = !goes ? "kept: " + candidate.why_kept : removed ? "removed" : "would be removed";
    list.push_back({{"run", candidate.run.name()}, {"bytes", candidate.bytes}, {"removed", goes && removed}});
    if (!goes) list.back()["kept_because"] = candidate.why_kept;
    table.row({candidate.run.name(), bytes_text(candidate.bytes), what});
  }
  if (arguments.json()) {
    fmt::print("{}\n", Json{{"schema_version", 1}, {"dry_run", !removed}, {"runs", std::move(list)}}.dump(2));
    return;
  }
  fmt::print("{}", table.text());
  if (candidates.empty())
    fmt::print(stderr, "no run fits\n");
  else if (!removed)
    fmt::print(stderr, "nothing was removed; --yes does it\n");
}

int clean(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_acting_options(options);
  add_text(options, "older-than", "AGE", "runs made longer ago than that: 12h, 30d, 2w");
  add_number(options, "keep", "N", "all but the newest N");
  add_flag(options, "force", "also those that hold the newest results, or that other runs read files of");
  add_flag(options, "yes,y", "remove them; without it nothing is removed");
  Arguments arguments(self, options, {"run"}, /*rest=*/true);
  if (!arguments.parse(words)) return exit_done;
  const bool yes = arguments.has("yes");
  LazyCluster cluster;
  std::vector<Candidate> candidates = examine(chosen_runs(arguments), arguments, cluster);
  if (yes)
    for (Candidate& candidate : candidates)
      if (candidate.why_kept.empty()) {
        audit(candidate.run, self.name, arguments);
        candidate.why_kept = remove_run(candidate.run, self_identity(), std::ref(cluster));
      }
  if (yes) tidy_own_cache(run_root(arguments));
  show(candidates, yes, arguments);
  return exit_done;
}

}  // namespace

const Command clean_command{"clean", "remove old runs; shows first what it would remove",
                            "[RUN...] [options]",
                            "  kernmill clean --older-than 30d          what would go\n"
                            "  kernmill clean --keep 5 --yes            all but the newest five\n"
                            "  kernmill clean iris-svm-20261121 --yes\n",
                            clean};

}  // namespace kernmill::cli
