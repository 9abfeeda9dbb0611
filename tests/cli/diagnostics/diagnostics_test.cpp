#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "kernmill/workflow/parse/parser.hpp"

// Every <name>.yaml beside this file holds a mistake; <name>.txt is what the user is shown. After a change
// that is meant, KERNMILL_ACCEPT=1 writes the texts anew: read the difference before committing it.

namespace kernmill {
namespace {

namespace fs = std::filesystem;
const fs::path folder = KERNMILL_GOLDEN_FOLDER;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// What the user is shown, with this machine's folder taken out of it.
std::string shown(const fs::path& path) {
  Diagnostics diagnostics;
  parse_workflow({path.string(), read(path)}, {}, real_files(), diagnostics);
  std::string text = render(diagnostics, false);
  const std::string prefix = folder.string() + "/";
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
    text.erase(at, prefix.size());
  return text;
}

class Diagnosed : public testing::TestWithParam<std::string> {};

TEST_P(Diagnosed, IsShownAsExpected) {
  const std::string text = shown(folder / (GetParam() + ".yaml"));
  const fs::path golden = folder / (GetParam() + ".txt");
  ASSERT_FALSE(text.empty()) << "this file has no mistake";
  if (std::getenv("KERNMILL_ACCEPT") != nullptr) std::ofstream(golden, std::ios::binary) << text;
  EXPECT_EQ(text, read(golden));
}

INSTANTIATE_TEST_SUITE_P(Golden, Diagnosed, testing::ValuesIn(case_names()),
                         [](const auto& given) { return given.param; });

TEST(Diagnostics, AreTriedWithFortyMistakesAtLeast) {
  EXPECT_GE(case_names().size(), 40u);
}

TEST(Diagnostics, EachOneHasAGoldenTextAndEachTextItsCase) {
  const auto names = case_names();
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool has_case = std::binary_search(names.begin(), names.end(), entry.path().stem().string());
    EXPECT_TRUE(has_case || entry.path().extension() != ".txt") << entry.path();
  }
}

}  // namespace
}  // namespace kernmill
