#include "kernmill/tasks/support/result.hpp"

#include <exception>

#include "kernmill/storage/file/durable.hpp"

namespace kernmill::tasks {
namespace {

// A path or a cell in a message may hold bytes that are not UTF-8; they must not turn an error into a crash.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

void write_result(const std::filesystem::path& output_directory, const Result& result,
                  const Execution& execution) {
  Json json = {{"schema_version", schema_version}, {"metrics", result.metrics},
               {"artifacts", result.artifacts},    {"program", execution.program},
               {"ranks", execution.ranks},         {"seconds", execution.seconds},
               {"storage", execution.storage}};
  if (!result.summary.empty()) json["summary"] = result.summary;
  storage::write_durably(output_directory / "result.json", dump(json));
}

std::string error_text(const std::string& message, const std::string& where, const std::string& help) {
  return dump({{"schema_version", schema_version}, {"message", message}, {"where", where}, {"help", help}});
}

void write_error(const std::filesystem::path& output_directory, const std::string& message,
                 const std::string& where, const std::string& help) noexcept {
  try {
    storage::write_durably(output_directory / "error.json", error_text(message, where, help));
  } catch (const std::exception&) {
    // stderr has the message; a directory that cannot be written is often the very reason of it.
  }
}

}  // namespace kernmill::tasks
