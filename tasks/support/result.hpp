#pragma once
#include <filesystem>
#include <string>

#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// What a task leaves for others: metrics (numbers, strings, booleans, or lists of them) and artifacts (name
/// -> file, relative to the output directory). Every rank returns one; rank 0's counts.
struct Result {
  Json metrics = Json::object();
  Json artifacts = Json::object();
  Json summary = Json::array();  ///< what there is to say in words; may be empty
};

/// How the program ran, for result.json.
struct Execution {
  std::string program;
  int ranks = 1;
  double seconds = 0;
  Json storage = Json::object();  ///< which transport, and why
};

/// Writes result.json durably: it is there whole, or not at all. Throws storage::Error.
/// (Other small files: storage::write_durably of kernmill/storage/file/durable.hpp.)
void write_result(const std::filesystem::path& output_directory, const Result& result,
                  const Execution& execution);

/// What error.json holds.
std::string error_text(const std::string& message, const std::string& where, const std::string& help);

/// Writes error.json. Never throws: that it cannot be written must not hide the error itself.
void write_error(const std::filesystem::path& output_directory, const std::string& message,
                 const std::string& where, const std::string& help) noexcept;

}  // namespace kernmill::tasks
