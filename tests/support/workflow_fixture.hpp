#pragma once
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "kernmill/workflow/parse/parser.hpp"

namespace kernmill {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Every file is there, but for those with "missing" in their name; each is a CSV file with iris's header.
inline Files iris_everywhere() {
  return {
      [](const std::filesystem::path& path) { return path.string().find("missing") == std::string::npos; },
      [](const std::filesystem::path&, std::uint64_t offset,
         std::uint64_t count) -> std::optional<std::string> {
        const std::string header = "sepal_length,sepal_width,petal_length,petal_width,species\n";
        return header.substr(std::min<std::uint64_t>(offset, header.size()), count);
      }};
}

struct Parsed {
  Workflow workflow;
  Diagnostics diagnostics;
  [[nodiscard]] std::string text() const { return render(diagnostics, false); }
  [[nodiscard]] const Stage& stage(std::string_view name) const {
    const Stage* found = workflow.find(name);
    if (found == nullptr) throw std::out_of_range("no such stage");
    return *found;
  }
};

inline Parsed parse(const std::string& text, const ParseOptions& options = {}) {
  Parsed parsed;
  parsed.workflow =
      parse_workflow({"/flows/test.yaml", text}, options, iris_everywhere(), parsed.diagnostics);
  return parsed;
}

/// As `parse`, for a text without mistakes.
inline Parsed parse_good(const std::string& text, const ParseOptions& options = {}) {
  Parsed parsed = parse(text, options);
  EXPECT_TRUE(parsed.diagnostics.all().empty()) << parsed.text();
  return parsed;
}

inline const std::string prepare =
    "stages:\n  prepare: {task: preprocess, input: iris.csv, target: species}\n";

}  // namespace kernmill
