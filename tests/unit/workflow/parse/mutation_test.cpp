#include <random>

#include "workflow_fixture.hpp"

// Valid workflows with random damage: the parser says what is wrong, and never breaks itself.

namespace kernmill {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> examples() {
  std::vector<std::string> texts;
  for (const fs::path folder : {KERNMILL_EXAMPLES, KERNMILL_WORKFLOWS})
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".yaml") texts.push_back(read_text(entry.path()));
  std::sort(texts.begin(), texts.end());
  return texts;
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string damage(std::string text) {
    for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) edit(text);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  void edit(std::string& text) {
    static const std::vector<std::string> bits{
        "${{ ", " }}",          ": ",    "- ",      "[",        "]",    "{", "}", "\"",
        "'",    "&a ",          "*a",    "<<: ",    "\n",       "\t",   "!", "|", "\xff",
        "0",    "-1",           "1e999", "stages.", "matrix.x", "null", "~", "#", "?",
        ",",    "\xe6\x97\xa5", "..",    "%"};
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(12);
    switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, bits[below(bits.size())]);
        break;
      case 2:
        text.replace(at, length, bits[below(bits.size())]);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, 8 * length));
        break;
      default:
        text[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937 random_;  // its numbers are the same everywhere
};

TEST(Parser, SurvivesDamagedWorkflows) {
  const auto texts = examples();
  ASSERT_GE(texts.size(), 2u);
  Mutator mutator(20240607);
  std::size_t mistaken = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::string text = mutator.damage(texts[i % texts.size()]);
    Parsed parsed;
    ASSERT_NO_THROW(parsed = parse(text)) << text;
    ASSERT_FALSE(parsed.diagnostics.has_errors() && parsed.text().empty());
    if (parsed.diagnostics.has_errors())
      ++mistaken;
    else
      ASSERT_NO_THROW(workflow_from_json(to_json(parsed.workflow))) << text;
  }
  EXPECT_GT(mistaken, 2000u);
}

}  // namespace
}  // namespace kernmill
