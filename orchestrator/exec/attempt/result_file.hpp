#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// What a task says in result.json that it leaves.
struct TaskResult {
  Json metrics = Json::object();  ///< numbers, texts, truth values, null (no value), or lists of them
  std::vector<std::pair<std::string, std::string>> artifacts;  ///< name, file in the output directory
};

/// Reads result.json. Throws AttemptError with the file and the place in it for whatever is not as it has to
/// be: nothing of a result of wrong types is taken.
TaskResult read_result_file(const std::filesystem::path& file);

/// The same of a trial, whose metric `value` the search compares: a number, or null where there is none.
TaskResult read_trial_result_file(const std::filesystem::path& file);

/// What a task says in error.json, for people. Throws AttemptError as `read_result_file` does.
std::string read_error_file(const std::filesystem::path& file);

}  // namespace kernmill::exec
