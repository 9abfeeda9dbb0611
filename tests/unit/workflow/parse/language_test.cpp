#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/workflow/expression/expression.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/value/scalar.hpp"
#include "kernmill/workflow/value/units.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

using namespace std::chrono_literals;

Json compute(const std::string& text) {
  return evaluate("${{ " + text + " }}", [](const NamePath& name) -> std::optional<Json> {
    if (name == NamePath{"params", "n"}) return 3;
    if (name == NamePath{"params", "who"}) return "it's me";
    if (name == NamePath{"params", "cold"}) return -4;
    return {};
  });
}

TEST(Expression, BindsAsUsual) {
  EXPECT_EQ(compute("1 + 2 * 3 - 4 / 2"), 5);
  EXPECT_EQ(compute("(1 + 2) * 3 % 5"), 4);
  EXPECT_EQ(compute("!false && 1 < 2 || false"), true);
  EXPECT_EQ(compute("-params.n + 1"), -2);
  EXPECT_EQ(compute("7 - 2 - 1"), 4);
}

TEST(Expression, KeepsWholeNumbersWholeWhereItCan) {
  EXPECT_TRUE(compute("6 / 3").is_number_integer());
  EXPECT_EQ(compute("7 / 2"), 3.5);
  EXPECT_EQ(compute("1e-3 * 1000"), 1.0);
}

TEST(Expression, ComparesLikeWithLike) {
  EXPECT_EQ(compute("1 == 1.0"), true);
  EXPECT_EQ(compute("'a' < 'b'"), true);
  EXPECT_EQ(compute("'1' == 1"), false);
  EXPECT_THROW(compute("'a' < 1"), ExpressionError);
}

// JSON has no such numbers: a metric that is one is a text.
TEST(Expression, ComparesWhatIsNoFiniteNumberAsTheNumberThatItIs) {
  EXPECT_EQ(compute("'inf' > 1e300"), true);
  EXPECT_EQ(compute("'-inf' < -5"), true);
  EXPECT_EQ(compute("'inf' > '-inf'"), true);
  for (const char* op : {"<", "<=", ">", ">=", "=="}) {
    EXPECT_EQ(compute(std::string("'nan' ") + op + " 0.5"), false) << op;
    EXPECT_EQ(compute(std::string("1 ") + op + " 'nan'"), false) << op;
  }
  EXPECT_EQ(compute("'nan' != 0.5"), true);
  EXPECT_EQ(compute("'nan' == 'nan'"), true) << "that is how one asks";
}

TEST(Expression, RefusesWhatCannotBeComputed) {
  EXPECT_THROW(compute("1 / 0"), ExpressionError);
  EXPECT_THROW(compute("1 % 0"), ExpressionError);
  EXPECT_THROW(compute("'a' * 2"), ExpressionError);
  EXPECT_THROW(compute("9223372036854775807 + 1"), ExpressionError);
  EXPECT_THROW(compute("1 && true"), ExpressionError);
}

TEST(Expression, SaysWhereItDoesNotParse) {
  try {
    names_in("ab ${{ 1 + }}");
    FAIL();
  } catch (const ExpressionError& error) {
    EXPECT_EQ(error.offset, 11u);
  }
  EXPECT_THROW(names_in("${{ 1"), ExpressionError);
  EXPECT_THROW(names_in("${{ 'open }}"), ExpressionError);
  EXPECT_THROW(names_in("${{ " + std::string(1000, '(') + " }}"), ExpressionError);
}

TEST(Expression, PastesIntoText) {
  EXPECT_EQ(evaluate("a ${{ 1 + 1 }} b ${{ true }}", {}), "a 2 b true");
  EXPECT_EQ(evaluate("no ${x} here", {}), "no ${x} here");
}

TEST(Expression, FillsInWhatIsKnownAndLeavesTheRest) {
  EXPECT_EQ(compute("params.n + matrix.i"), "${{ 3 + matrix.i }}");
  EXPECT_EQ(compute("matrix.i - params.cold"), "${{ matrix.i - (-4) }}");
  EXPECT_EQ(compute("params.who == stages.a.b"), "${{ 'it''s me' == stages.a.b }}");
}

TEST(Expression, TakesADashIntoANameUnlessSpacesSurroundIt) {
  EXPECT_EQ(names_in("${{ stages.fit-2.rows - params.n }}"),
            (std::vector<NamePath>{{"stages", "fit-2", "rows"}, {"params", "n"}}));
  EXPECT_EQ(names_in("${{ stages['my stage'].rows }}"),
            (std::vector<NamePath>{{"stages", "my stage", "rows"}}));
}

TEST(Scalar, FollowsYaml12) {
  EXPECT_EQ(std::get<std::int64_t>(plain_scalar("010")), 10);
  EXPECT_EQ(std::get<std::int64_t>(plain_scalar("0o10")), 8);
  EXPECT_EQ(std::get<std::int64_t>(plain_scalar("0xff")), 255);
  EXPECT_EQ(std::get<double>(plain_scalar("1e3")), 1000);
  EXPECT_EQ(std::get<double>(plain_scalar("-.5")), -0.5);
  EXPECT_TRUE(std::isinf(std::get<double>(plain_scalar("1e999"))));
  EXPECT_TRUE(std::isnan(std::get<double>(plain_scalar(".nan"))));
  for (const char* text : {"yes", "1_000", "1-2", "12:30", ".", "+", "1e", "0x", "+-1"})
    EXPECT_TRUE(std::holds_alternative<std::string>(plain_scalar(text))) << text;
}

TEST(Units, ReadTimesAsSlurmDoesAndWithUnits) {
  EXPECT_EQ(parse_time("5"), 5min);
  EXPECT_EQ(parse_time("90m"), 90min);
  EXPECT_EQ(parse_time("1h30m"), 90min);
  EXPECT_EQ(parse_time("5:30"), 330s);
  EXPECT_EQ(parse_time("1:00:01"), 3601s);
  EXPECT_EQ(parse_time("1-02"), 26h);
  EXPECT_EQ(parse_time("1-02:03:04"), 26h + 3min + 4s);
  EXPECT_EQ(parse_time("UNLIMITED"), 0s);
  for (const char* text : {"", "m", "5x", "1:99", "1-25", "30m1h", "-5", "1:2:3:4", "99999999999999999999"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Units, ReadMemoryInPowersOf1024) {
  EXPECT_EQ(parse_memory("16G"), 16ull << 30);
  EXPECT_EQ(parse_memory("512mb"), 512ull << 20);
  EXPECT_EQ(parse_memory("100"), 100ull << 20);
  EXPECT_EQ(parse_memory("1T"), 1ull << 40);
  for (const char* text : {"", "G", "1.5G", "16 G", "16X", "99999999999T"})
    EXPECT_FALSE(parse_memory(text)) << text;
}

TEST(Units, AreSpelledAsTheyAreRead) {
  for (const char* time : {"1s", "90m", "2h", "1d", "1d2h3m4s", "7d"}) {
    const auto read = parse_time(time);
    ASSERT_TRUE(read) << time;
    EXPECT_EQ(parse_time(spell_time(*read)), read) << spell_time(*read);
  }
  EXPECT_EQ(spell_time(std::chrono::seconds(5400)), "1h30m");
  EXPECT_EQ(spell_time(std::chrono::seconds(0)), "unlimited");
  EXPECT_EQ(spell_memory(16ull << 30u), "16G");
  EXPECT_EQ(spell_memory(4000ull << 20u), "4000M");
  EXPECT_EQ(spell_memory(3ull << 40u), "3T");
  EXPECT_EQ(spell_memory(2048), "2K");
}

TEST(Units, ReadNodesGpusAndFactors) {
  EXPECT_EQ(parse_node_range("4"), std::pair(4, 4));
  EXPECT_EQ(parse_node_range("2-8"), std::pair(2, 8));
  EXPECT_FALSE(parse_node_range("8-2") || parse_node_range("0") || parse_node_range("1-2-3"));
  EXPECT_TRUE(is_gpu_request("2") && is_gpu_request("a100:2") && is_gpu_request("a100:1,h100:2"));
  EXPECT_FALSE(is_gpu_request("a100") || is_gpu_request(":2") || is_gpu_request(""));
  EXPECT_EQ(parse_factor("x1.5"), 1.5);
  EXPECT_FALSE(parse_factor("x0.5") || parse_factor("2x"));
}

std::string shown(const std::string& line, std::uint32_t column, std::uint32_t length, bool color = false) {
  const auto file = std::make_shared<const SourceFile>(SourceFile{"f.yaml", line});
  Diagnostic diagnostic;
  diagnostic.where = {file, 1, column, length};
  diagnostic.message = "wrong";
  return render(diagnostic, color);
}

TEST(Render, PutsCaretsUnderTabsAndWideCharacters) {
  EXPECT_EQ(shown("\tabc", 2, 3), "f.yaml:1:2: error: wrong\n    1 |     abc\n      |     ^^^\n");
  EXPECT_EQ(shown("日本 x", 4, 1), "f.yaml:1:4: error: wrong\n    1 | 日本 x\n      |      ^\n");
}

TEST(Render, CutsLongLinesAroundTheCaret) {
  const std::string text = shown(std::string(5000, 'a') + "b" + std::string(5000, 'c'), 5001, 1);
  EXPECT_LT(text.size(), 600u);
  const auto line = text.find("...a");
  const auto caret = text.find('^');
  ASSERT_NE(line, std::string::npos);
  ASSERT_NE(caret, std::string::npos);
  EXPECT_EQ(text.find('b', line) - text.rfind('\n', text.find('b', line)), caret - text.rfind('\n', caret));
}

TEST(Render, LetsNoFileSteerTheTerminal) {
  EXPECT_EQ(shown("a\x1b[31m", 1, 1).find('\x1b'), std::string::npos);
  EXPECT_NE(shown("abc", 1, 1, true).find("\x1b[1;31m"), std::string::npos);
}

std::size_t mistakes(const std::string& text) {
  Diagnostics diagnostics;
  read_yaml(std::make_shared<const SourceFile>(SourceFile{"f.yaml", text}), diagnostics);
  return diagnostics.all().size();
}

TEST(YamlReader, SurvivesFilesMadeToBreakIt) {
  EXPECT_EQ(mistakes(std::string(100000, '[')), 1u);
  EXPECT_EQ(mistakes("a: &x [*x]"), 1u);
  EXPECT_EQ(mistakes(", a: 1"), 1u);
  EXPECT_EQ(mistakes("a: 1\n---\nb: 2\n---\nc: 3\n"), 1u);
  EXPECT_EQ(mistakes("\xff\xfe"), 1u);
  EXPECT_EQ(mistakes(std::string("a: \0", 4)), 1u);
  EXPECT_EQ(mistakes(""), 0u);
  std::string bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(mistakes(bomb), 1u);
}

TEST(YamlReader, KnowsWhereEverythingStands) {
  Diagnostics diagnostics;
  const auto value = read_yaml(std::make_shared<const SourceFile>(
                                   SourceFile{"f.yaml", "größe: \"zwölf\"\nlist: [1, {a: 2}]\nempty:\n"}),
                               diagnostics);
  ASSERT_TRUE(value);
  const Where& text = value->find("größe")->where;
  EXPECT_EQ(std::tuple(text.line, text.column, text.length), std::tuple(1u, 8u, 7u));
  const Where& list = value->find("list")->where;
  EXPECT_EQ(std::tuple(list.line, list.column, list.length), std::tuple(2u, 7u, 11u));
  EXPECT_EQ(value->find("empty")->where.line, 3u);
}

}  // namespace
}  // namespace kernmill
