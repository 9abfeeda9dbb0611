#include "kernmill/run/cache/declared_inputs.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include "kernmill/base/file_pattern.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t small_file = std::uint64_t{64} << 20;
constexpr std::size_t most_of_a_folder = 10'000;  // files; a larger one is told by these
constexpr std::uint32_t block = 1'000;            // instances whose files are noted together

/// The files that a declared path stands for: itself, those of a pattern, or all below a folder.
std::vector<std::string> files_below(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    const auto files = files_of_pattern(path);
    return files.empty() ? std::vector{path} : files;
  }
  std::vector<std::string> files;
  fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && entry != end && files.size() < most_of_a_folder; entry.increment(error))
    if (std::error_code none; entry->is_regular_file(none)) files.push_back(entry->path().string());
  std::sort(files.begin(), files.end());
  return files;
}

/// What a file is now, with the digest of `known` where nothing else about it has changed.
InputMark mark_of(const std::string& path, const struct stat& status, const InputMark* known,
                  DigestStore& digests) {
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  InputMark mark{static_cast<std::uint64_t>(status.st_size),
                 status.st_mtim.tv_sec * ns_per_s + status.st_mtim.tv_nsec,
                 {}};
  if (known != nullptr && known->bytes == mark.bytes && known->modified == mark.modified) return *known;
  if (mark.bytes <= small_file) try {
      mark.sha256 = digests.sha256(path);
    } catch (const std::system_error&) {  // who reads it says so
    }
  return mark;
}

/// Copies of the code come and go; what they are copies of stays where it is.
std::string origin_of(const std::string& file, const Snapshot& code) {
  if (code.copy.empty() || !file.starts_with(code.copy + "/")) return file;
  return code.root + file.substr(code.copy.size());
}

InputMarks marks_now(const Plan& plan, InstanceId id, const InputMarks& known, DigestStore& digests) {
  InputMarks marks;
  for (const Input& input : plan.inputs(id)) {
    if (!input.stage.empty()) continue;
    for (const std::string& file : files_below(input.path)) {
      struct stat status {};
      if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      const std::string origin = origin_of(file, plan.workflow().snapshot);
      const auto noted = known.find(origin);
      marks[origin] = mark_of(file, status, noted == known.end() ? nullptr : &noted->second, digests);
    }
  }
  return marks;
}

/// Whether each instance has files of its own.
bool differ(const Stage& stage) {
  return std::any_of(stage.inputs.begin(), stage.inputs.end(),
                     [](const Input& input) { return has_template(input.path); });
}

fs::path place_of(const RunDirectory& run, const Stage& stage, std::uint32_t index) {
  const std::uint32_t number = differ(stage) ? index / block : 0;
  return run.root() / "inputs" / fmt::format("{}-{}.json", stage.name, number);
}

Json to_json(const InputMarks& marks) {
  Json files = Json::object();
  for (const auto& [path, mark] : marks)
    files[path] = {{"bytes", mark.bytes}, {"modified", mark.modified}, {"sha256", mark.sha256}};
  return files;
}

InputMarks marks_from(const Json& files) {
  InputMarks marks;
  for (const auto& [path, mark] : files.items())
    marks[path] = {mark.at("bytes"), mark.at("modified"), mark.at("sha256")};
  return marks;
}

/// The files of a block, as they were noted: by instance where they differ, else by the first.
Json noted_in(const fs::path& place) {
  try {
    const Json noted = json_or_nothing(read_file(place));
    if (noted.is_object() && noted.contains("instances")) return noted["instances"];
  } catch (const std::system_error&) {  // nobody has noted them
  }
  return Json::object();
}

void note_block(const RunDirectory& run, const Plan& plan, std::uint32_t stage, std::uint32_t first,
                DigestStore& digests) {
  const fs::path place = place_of(run, plan.stage(stage), first);
  if (fs::exists(place)) return;
  const std::uint32_t end =
      differ(plan.stage(stage)) ? std::min(first + block, plan.instance_count(stage)) : first + 1;
  Json instances = Json::object();
  for (std::uint32_t index = first; index < end; ++index)
    instances[std::to_string(index)] = to_json(marks_now(plan, {stage, index}, {}, digests));
  make_directories(place.parent_path());
  write_file_durably(place, Json{{"schema_version", 1}, {"instances", std::move(instances)}}.dump() + "\n");
}

/// What was noted in a run, a block read once.
class NotedInputs {
 public:
  NotedInputs(const RunDirectory& run, const Plan& plan) : run_(run), plan_(plan) {}

  InputMarks of(InstanceId id) {
    const Stage& stage = plan_.stage(id.stage);
    if (fs::path place = place_of(run_, stage, id.index); place != place_) {
      instances_ = noted_in(place);
      place_ = std::move(place);
    }
    try {
      const auto found = instances_.find(std::to_string(differ(stage) ? id.index : 0));
      return found == instances_.end() ? InputMarks{} : marks_from(*found);
    } catch (const Json::exception&) {
      return {};
    }
  }

 private:
  const RunDirectory& run_;
  const Plan& plan_;
  fs::path place_;
  Json instances_ = Json::object();
};

using Contents = std::map<std::string, std::string>;  ///< by path, as InputMark::text
using Readers = std::map<std::string, std::vector<InstanceId>>;

/// What an instance that has finished has read: what was noted, but for what it found to be something else.
/// Null: it found nothing else.
Contents read_by(const InstanceRecord* instance, const InputMarks& noted) {
  Contents read;
  for (const auto& [path, mark] : noted) read[path] = mark.text();
  if (instance == nullptr) return read;
  for (const AttemptRecord& attempt : instance->attempts)
    if (attempt.state == AttemptState::committed)
      for (const auto& [path, found] : attempt.other_inputs) read[path] = found;
  return read;
}

void add_changed(Readers& readers, InstanceId id, const Contents& read, const InputMarks& now) {
  for (const auto& [path, mark] : now)
    if (const auto then = read.find(path); then == read.end() || then->second != mark.text())
      readers[path].push_back(id);
  for (const auto& [path, what] : read)
    if (!what.empty() && !now.contains(path)) readers[path].push_back(id);
}

}  // namespace

bool reads_files(const Stage& stage) {
  return std::any_of(stage.inputs.begin(), stage.inputs.end(),
                     [](const Input& input) { return input.stage.empty(); });
}

std::string InputMark::text() const {
  return sha256.empty() ? fmt::format("{} bytes of {}", bytes, modified) : sha256;
}

void note_inputs(const RunDirectory& run, const Plan& plan, DigestStore& digests) {
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (!reads_files(plan.stage(stage)) || plan.instance_count(stage) == 0) continue;
    const std::uint32_t all = differ(plan.stage(stage)) ? plan.instance_count(stage) : 1;
    for (std::uint32_t first = 0; first < all; first += block) note_block(run, plan, stage, first, digests);
  }
}

void forget_inputs(const RunDirectory& run, const std::string& stage) {
  std::error_code none;
  const std::string prefix = stage + "-";
  for (const auto& entry : fs::directory_iterator(run.root() / "inputs", none)) {
    const std::string name = entry.path().stem().string();
    const bool is_of_stage =
        name.starts_with(prefix) && name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (is_of_stage) fs::remove(entry.path(), none);
  }
}

InputMarks noted_inputs(const RunDirectory& run, const Plan& plan, InstanceId id) {
  return reads_files(plan.stage(id.stage)) ? NotedInputs(run, plan).of(id) : InputMarks{};
}

std::vector<std::pair<std::string, std::string>> other_inputs(const RunDirectory& run, const Plan& plan,
                                                              InstanceId id, DigestStore& digests) {
  const InputMarks noted = noted_inputs(run, plan, id);
  std::vector<std::pair<std::string, std::string>> other;
  if (noted.empty()) return other;  // nobody has noted any, or there are none
  const InputMarks now = marks_now(plan, id, noted, digests);
  for (const auto& [path, mark] : now)
    if (const auto before = noted.find(path); before == noted.end() || before->second.text() != mark.text())
      other.emplace_back(path, mark.text());
  for (const auto& [path, mark] : noted)
    if (!now.contains(path)) other.emplace_back(path, "");
  return other;
}

std::vector<ChangedInput> inputs_changed_behind(const RunDirectory& run, const Plan& plan,
                                                const RunView& view, DigestStore& digests) {
  Readers readers;
  NotedInputs all_noted(run, plan);
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (!reads_files(plan.stage(stage))) continue;
    const bool each = differ(plan.stage(stage));
    std::optional<InputMarks> noted, now;
    for (std::uint32_t index = 0; index < plan.instance_count(stage); ++index) {
      const InstanceRecord* spelt_out = view.record.find(plan.stage(stage).name, index);
      const bool is_plain = spelt_out == nullptr && view.plain.find(plan.stage(stage).name, index) != nullptr;
      if (!is_plain && (spelt_out == nullptr || !spelt_out->committed)) continue;
      if (each || !noted) {
        noted = all_noted.of({stage, index});
        now = noted->empty() ? InputMarks{} : marks_now(plan, {stage, index}, *noted, digests);
      }
      if (noted->empty() || (is_plain && *now == *noted)) continue;
      add_changed(readers, {stage, index}, read_by(spelt_out, *noted), *now);
    }
  }
  std::vector<ChangedInput> changed;
  for (auto& [path, ids] : readers) changed.push_back({path, std::move(ids)});
  return changed;
}

std::string display_path(const std::string& path, const Workflow& workflow) {
  std::string origin = origin_of(path, workflow.snapshot);
  for (const std::string& folder : {workflow.base_directory, workflow.snapshot.root}) {
    const fs::path relative = fs::path(origin).lexically_relative(folder);
    if (!folder.empty() && !relative.empty() && *relative.begin() != "..") return relative.string();
  }
  return origin;
}

std::string labels_text(const Plan& plan, const std::vector<InstanceId>& ids) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < std::min(shown, ids.size()); ++i) labels.push_back(plan.label(ids[i]));
  if (ids.size() > shown) return fmt::format("{} and {} more", fmt::join(labels, ", "), ids.size() - shown);
  if (labels.size() < 2) return labels.empty() ? "" : labels.front();
  const std::string last = labels.back();
  labels.pop_back();
  return fmt::format("{} and {}", fmt::join(labels, ", "), last);
}

}  // namespace kernmill
