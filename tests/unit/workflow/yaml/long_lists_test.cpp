#include "kernmill/workflow/yaml/long_lists.hpp"

#include <gtest/gtest.h>

#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

struct Read {
  std::optional<Value> value;
  std::string errors;
};

Read read(const std::string& text) {
  Diagnostics diagnostics;
  Read result;
  result.value = read_yaml(std::make_shared<const SourceFile>(SourceFile{"f.yaml", text}), diagnostics);
  result.errors = render(diagnostics, false);
  return result;
}

/// Values, and the place of each, in a text.
void describe_all(const Value& value, std::string& text) {
  text += std::to_string(value.where.line) + ":" + std::to_string(value.where.column) + "+" +
          std::to_string(value.where.length) + " " + value.text + "|" + std::to_string(value.data.index()) +
          "\n";
  if (const auto* list = std::get_if<Value::List>(&value.data))
    for (const Value& item : *list) describe_all(item, text);
  if (const auto* map = std::get_if<Value::Map>(&value.data))
    for (const auto& entry : *map) describe_all(entry.value, (text += entry.key + ": ", text));
}

std::string described(const std::string& text) {
  const Read result = read(text);
  std::string all = result.errors;
  if (result.value) describe_all(*result.value, all);
  return all;
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

constexpr int many = 400;  // of groups of three: long enough to be read beside yaml-cpp

TEST(LongLists, InBracketsGiveTheValuesAndPlacesThatShortOnesGive) {
  const std::string items =
      repeated("0.10, 'a b', \"\xC3\xA9,]\",\n  -7 , null,.5, /a/b-c.csv ,1e3,true , ", many);
  const std::string list = "before: 1\nx: [" + items + "]\nafter: {y: [1]}\n";
  ASSERT_EQ(find_long_lists(list).size(), 1u);
  // A tag in the list makes yaml-cpp read all of it.
  const std::string other = "before: 1\nx: [" + items + "!!str 9]\nafter: {y: [1]}\n";
  ASSERT_TRUE(find_long_lists(other).empty());
  std::string expected = described(other);
  const std::string text = described(list);
  const std::size_t tag = expected.rfind(" 9|4");
  expected.erase(expected.rfind('\n', tag) + 1, expected.find('\n', tag) - expected.rfind('\n', tag));
  EXPECT_EQ(text, expected);
}

TEST(LongLists, OnLinesOfTheirOwnDoTheSame) {
  const std::string items = repeated("  - 0.10\n  - 'a b'\n  -   word \n", many);
  const std::string list = "x:\n" + items + "after: 2\n", other = "x:\n" + items + "  - !!str 9\nafter: 2\n";
  ASSERT_EQ(find_long_lists(list).size(), 1u);
  ASSERT_TRUE(find_long_lists(other).empty());
  std::string expected = described(other);
  const std::size_t tag = expected.rfind(" 9|4");
  expected.erase(expected.rfind('\n', tag) + 1, expected.find('\n', tag) - expected.rfind('\n', tag));
  const std::string text = described(list);
  EXPECT_EQ(text.substr(0, text.find("after")), expected.substr(0, expected.find("after")));
  EXPECT_EQ(read("x:\n" + repeated("- 1\n", 1500) + "y: 2\n").errors, "");
}

TEST(LongLists, InATextStayPartOfTheText) {
  const std::string list = "[" + repeated("1, ", 1500) + "1]";
  for (const std::string& text : {"x: |\n  " + list + "\n", "x: 'a " + list + "'\n", "# " + list + "\nx: 1\n",
                                  "x: a " + list + "\n", "x:" + list + "\n"}) {
    const Read result = read(text);
    ASSERT_TRUE(result.value.has_value()) << result.errors;
    EXPECT_TRUE(result.value->find("x") == nullptr || !result.value->find("x")->is_list())
        << text.substr(0, 20);
  }
  const std::string lines = repeated("    - 1\n", 1500);
  EXPECT_TRUE(read("x: |\n  key:\n" + lines).value->find("x")->is_string());
}

TEST(LongLists, DoNotHideAMistakeElsewhere) {
  const std::string list = "x: [" + repeated("1, ", 1500) + "1]\n";
  EXPECT_NE(read(list + "y: [1\n").errors.find("f.yaml:2:4: error: this '[' is never closed"),
            std::string::npos);
  EXPECT_NE(read(list + "x: 2\n").errors.find("f.yaml:2:1: error: the key 'x' is given twice"),
            std::string::npos);
}

TEST(YamlLimits, AreTold) {
  const auto error = [](const std::string& text) { return read(text).errors; };
  const auto has = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text.substr(0, 500);
  };
  has(error("x: [" + repeated("7,", 1'300'000) + "]"),
      "f.yaml:1:4: error: this file has more than 1200000 values");
  has(error(repeated("[", 101)), "nested deeper than 100 levels");
  has(error("x: &a [*a]"), "f.yaml:1:8: error: this alias stands inside the value that it repeats");
  has(error("x: &a '" + repeated("x", 100'000) + "'\ny: [" + repeated("*a,", 50) + "]"),
      "aliases repeat more than 4 MiB of text");
  has(error("x: '" + repeated("y", 1'200'000) + "'"),
      "f.yaml:1:1: error: what begins behind this is longer than 1 MiB");
  has(error("x: " + repeated("y", 5'000'000)), "more than 4 MiB beside long lists");
  std::string keys;
  for (int i = 0; i <= 10'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  has(error(keys), "f.yaml:10001:1: error: this map has more than 10000 keys");
  has(error("x: a\x1b[31m"), "f.yaml:1:5: error: this is a control character (U+001B)");
}

}  // namespace
}  // namespace kernmill
