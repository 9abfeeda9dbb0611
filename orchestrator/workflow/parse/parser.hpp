#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What the parser may ask of the machine: nothing else decides what a workflow means.
struct Files {
  std::function<bool(const std::filesystem::path&)> exists;
  /// Bytes of a file from an offset on, fewer at its end; nothing when it cannot be read.
  std::function<std::optional<std::string>(const std::filesystem::path&, std::uint64_t offset,
                                           std::uint64_t count)>
      read;
  /// Why a file cannot hold a key; empty when it can: a regular one of this user's, that nobody else may use.
  std::function<std::string(const std::filesystem::path&)> key_problem = {};
  /// What is there instead of a file that can be read from its beginning to its end ("a named pipe"); empty:
  /// such a file, or a folder.
  std::function<std::string(const std::filesystem::path&)> no_file = {};
  /// Whether a folder has what matches a pattern, the last part of this path.
  std::function<bool(const std::filesystem::path&)> pattern_matches = {};
  /// A variable of the environment; nothing: it is not set.
  std::function<std::optional<std::string>(const std::string&)> variable = {};
  /// What matches a pattern, relative to that folder as the pattern is, by name.
  std::function<std::vector<std::string>(const std::filesystem::path& folder, const std::string& pattern)>
      matching = {};
};
/// The real file system and environment.
Files real_files();

struct ParseOptions {
  std::vector<std::pair<std::string, std::string>> set;  ///< --set name=value, in order (overrides.hpp)
  /// Defaults from outside, weakest first: the site file, then the profile. Each has the shape of
  /// `defaults:`.
  std::vector<SourceFile> outer_defaults;
};

/// Reads a workflow. Every mistake goes to `diagnostics`; the result is meaningful only when it has no
/// errors.
Workflow parse_workflow(const SourceFile& source, const ParseOptions& options, const Files& files,
                        Diagnostics& diagnostics);

}  // namespace kernmill
