#include "kernmill/exec/attempt/result_file.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

constexpr int read_version = 1;

std::string shown(const Json& value) {
  constexpr std::size_t most = 40;
  switch (value.type()) {
    case Json::value_t::object:
      return "a map";
    case Json::value_t::array:
      return "a list";
    default:
      break;
  }
  const std::string text = value.dump(-1, ' ', true);
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

/// One of the files that a task leaves, and where in it something is looked at.
class TaskFile {
 public:
  explicit TaskFile(const fs::path& file) : file_(file.string()) {
    try {
      json_ = parse_json(read_file(file));
    } catch (const std::invalid_argument& error) {
      throw AttemptError(fmt::format("{} is no JSON: {}", file_, error.what()));
    }
    if (!json_.is_object()) fail("the whole", json_, "a map");
    const Json version = json_.value("schema_version", Json(read_version));
    if (version != read_version) fail("schema_version", version, std::to_string(read_version));
  }

  [[noreturn]] void fail(const std::string& place, const Json& value, const std::string& wanted) const {
    throw AttemptError(fmt::format("{}: {} is {}, and has to be {}", file_, place, shown(value), wanted));
  }

  /// A map of it, empty where there is none.
  [[nodiscard]] Json map(const char* key) const {
    Json value = json_.value(key, Json::object());
    if (!value.is_object()) fail(key, value, "a map");
    return value;
  }

  [[nodiscard]] std::string text(const char* key, const std::string& otherwise) const {
    const Json value = json_.value(key, Json(otherwise));
    if (!value.is_string()) fail(key, value, "a text");
    return value.get<std::string>();
  }

 private:
  std::string file_;
  Json json_;
};

bool is_metric(const Json& value) {
  if (value.is_array()) return std::all_of(value.begin(), value.end(), is_metric);
  return value.is_primitive();
}

/// Whether a file of that name lies in the directory that it is relative to.
bool stays_inside(const fs::path& file) {
  const fs::path normal = file.lexically_normal();
  return !normal.empty() && !normal.is_absolute() && normal.has_filename() && *normal.begin() != ".." &&
         normal != ".";
}

TaskResult result_in(const TaskFile& file) {
  TaskResult result{file.map("metrics"), {}};
  for (const auto& [name, value] : result.metrics.items())
    if (!is_metric(value))
      file.fail("metrics." + name, value, "a number, a text, true, false, null, or a list of them");
  const Json artifacts = file.map("artifacts");
  for (const auto& [name, value] : artifacts.items()) {
    if (!value.is_string() || !stays_inside(value.get_ref<const std::string&>()))
      file.fail("artifacts." + name, value, "the name of a file in the output directory");
    result.artifacts.emplace_back(name, value.get<std::string>());
  }
  return result;
}

}  // namespace

TaskResult read_result_file(const fs::path& file) {
  return result_in(TaskFile(file));
}

TaskResult read_trial_result_file(const fs::path& file) {
  const TaskFile read(file);
  TaskResult result = result_in(read);
  const Json value = result.metrics.value("value", Json());
  if (!value.is_number() && !value.is_null()) read.fail("metrics.value", value, "a number, or null");
  return result;
}

std::string read_error_file(const fs::path& file) {
  const TaskFile error(file);
  std::string message = error.text("message", "no message");
  if (const auto where = error.text("where", ""); !where.empty()) message = where + ": " + message;
  if (const auto help = error.text("help", ""); !help.empty()) message += "\nhelp: " + help;
  return message;
}

}  // namespace kernmill::exec
