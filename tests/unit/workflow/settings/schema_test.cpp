#include "kernmill/workflow/settings/schema.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "workflow_fixture.hpp"

// The committed schema and key reference are made from the parser's tables. KERNMILL_ACCEPT=1 writes them
// anew.

namespace kernmill {
namespace {

namespace fs = std::filesystem;
const fs::path workflows = KERNMILL_WORKFLOWS;

void expect_committed(const fs::path& path, const std::string& made) {
  if (std::getenv("KERNMILL_ACCEPT") != nullptr) std::ofstream(path, std::ios::binary) << made;
  EXPECT_EQ(read_text(path), made) << "run this test with KERNMILL_ACCEPT=1 and commit " << path;
}

TEST(Schema, IsTheOneThatTheTablesMake) {
  expect_committed(workflows / "kernmill.schema.json", workflow_schema().dump(1) + "\n");
}

TEST(Schema, ReferenceIsTheOneThatTheTablesMake) {
  const fs::path path = workflows / "README.md";
  const std::string begin = "<!-- keys begin -->\n", end = "\n<!-- keys end -->\n";
  const std::string text = read_text(path);
  const auto from = text.find(begin), to = text.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to);
  expect_committed(path, text.substr(0, from + begin.size()) + key_reference() + text.substr(to));
}

std::string files_in(const fs::path& folder) {
  std::string files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") files += " '" + entry.path().string() + "'";
  return files;
}

int check(const std::string& arguments) {
  const std::string command = "/usr/bin/python3 '" KERNMILL_CHECK_SCHEMA "' '" +
                              (workflows / "kernmill.schema.json").string() + "'" + arguments;
  return std::system(command.c_str());
}

bool has_validator() {
  return std::system("/usr/bin/python3 -c 'import yaml, jsonschema' 2> /dev/null") == 0;
}

TEST(Schema, AcceptsEveryWorkflowThatTheParserAccepts) {
  if (!has_validator()) GTEST_SKIP() << "needs the packages python3-yaml and python3-jsonschema";
  EXPECT_EQ(check(files_in(workflows) + files_in(KERNMILL_EXAMPLES)), 0);
}

TEST(Schema, RefusesMistakesThatItCanKnowOf) {
  if (!has_validator()) GTEST_SKIP() << "needs the packages python3-yaml and python3-jsonschema";
  std::string files;
  for (const char* name :
       {"unknown_stage_key", "unknown_top_key", "wrong_choice", "out_of_range", "missing_input",
        "unknown_task", "number_expected", "setting_of_another_model", "no_stages", "axis_is_no_list"})
    files += " '" KERNMILL_MISTAKES "/" + std::string(name) + ".yaml'";
  EXPECT_EQ(check(files + " --mistaken"), 0);
}

TEST(Parser, AcceptsEveryWorkflowOfTheProject) {
  for (const auto& entry : fs::directory_iterator(workflows)) {
    if (entry.path().extension() != ".yaml") continue;
    Diagnostics diagnostics;
    parse_workflow({entry.path().string(), read_text(entry.path())}, {}, real_files(), diagnostics);
    EXPECT_TRUE(diagnostics.all().empty()) << render(diagnostics, false);
  }
}

}  // namespace
}  // namespace kernmill
