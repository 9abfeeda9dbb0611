#include <gmock/gmock.h>

#include "data_fixture.hpp"
#include "kernmill/storage/file/durable.hpp"

/// What users get wrong: each is told where it is and what was expected, the same by any number of ranks, and
/// nothing is left that looks like a dataset.
namespace kernmill::tasks {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BadInput : public Preprocessing {
 protected:
  std::string failure_of(const std::string& csv, const Json& changes = Json::object()) {
    const std::string text = failure([&] { run_text(csv, changes); });
    EXPECT_FALSE(std::filesystem::exists(directory / "dataset.h5"));
    return text;
  }
};

TEST_F(BadInput, AMissingFile) {
  EXPECT_THAT(failure([&] { run(directory / "absent.csv", Json::object()); }),
              HasSubstr("absent.csv: No such file or directory"));
}

TEST_F(BadInput, ADirectory) {
  EXPECT_THAT(failure([&] { run(directory, Json::object()); }), HasSubstr("is a directory, not a CSV file"));
}

TEST_F(BadInput, AnEmptyFile) {
  EXPECT_THAT(failure_of(""), HasSubstr("input.csv is empty @ input.csv:1:1"));
  EXPECT_THAT(failure_of("\xEF\xBB\xBF\n\n"), HasSubstr("nothing but blank lines"));
}

TEST_F(BadInput, AHeaderWithoutRows) {
  for (const char* csv : {"a,b", "a,b\n", "a,b\n\n\n"})
    EXPECT_THAT(failure_of(csv), HasSubstr("has no data rows")) << csv;
}

TEST_F(BadInput, ARaggedRow) {
  EXPECT_EQ(failure_of("a,b\n1,2\n3\n4,5\n"), "the row has 1 fields, not 2 @ input.csv:3:1");
  EXPECT_EQ(failure_of("a,b\n1,2\n3,4,5\n"), "the row has 3 fields, not 2 @ input.csv:3:1");
}

TEST_F(BadInput, TextInANumericColumn) {
  EXPECT_EQ(failure_of("a,b\n1,2\n3,four\n"), "'four' in column 'b' is not a number @ input.csv:3:3");
}

TEST_F(BadInput, NotANumber) {
  EXPECT_EQ(failure_of("a,b\n1,NaN\n"), "'NaN' in column 'b' is not a finite number @ input.csv:2:3");
  EXPECT_EQ(failure_of("a,b\n-inf,2\n"), "'-inf' in column 'a' is not a finite number @ input.csv:2:1");
  EXPECT_EQ(failure_of("a,b\n1,\n"), "'' in column 'b' is empty @ input.csv:2:3");
}

TEST_F(BadInput, TextInANumericTarget) {
  EXPECT_EQ(failure_of("x,y\n1,1.5\n2,oops\n", {{"target", target("y")}}),
            "'oops' in column 'y' is not a number @ input.csv:3:3");
  EXPECT_EQ(failure_of("x,y\n1,1\n2,nan\n", {{"target", target("y")}}),
            "'nan' in column 'y' is not a finite number @ input.csv:3:3");
}

TEST_F(BadInput, OneClassOnly) {
  EXPECT_THAT(failure_of("x,kind\n1,a\n2,a\n", {{"target", target("kind")}}),
              HasSubstr("has one class only ('a')"));
}

TEST_F(BadInput, AMissingLabel) {
  EXPECT_EQ(failure_of("x,kind\n1,a\n2,\n3,b\n", {{"target", target("kind")}}),
            "'' in column 'kind' is empty @ input.csv:3:3");
}

TEST_F(BadInput, AMissingColumnWithTheNearestName) {
  put(directory / "input.csv", "sepal_width,species\n1,a\n");
  try {
    run(directory / "input.csv", {{"target", target("spezies")}});
    FAIL() << "no error";
  } catch (const TaskError& e) {
    EXPECT_THAT(e.what(), HasSubstr("has no column 'spezies' (the target)"));
    EXPECT_THAT(e.help, HasSubstr("did you mean 'species'?"));
  }
}

TEST_F(BadInput, ColumnsOfTheSameNameOrOfNone) {
  EXPECT_THAT(failure_of("a,b,a\n1,2,3\n"), HasSubstr("are called 'a' @ input.csv:1:5"));
  EXPECT_THAT(failure_of("a,,c\n1,2,3\n"), HasSubstr("has no name @ input.csv:1:3"));
}

TEST_F(BadInput, AFileThatIsNoText) {
  EXPECT_THAT(failure_of(std::string("AB\x03\x04\0\0\0\0", 8)), HasSubstr("is not a text file"));
}

TEST_F(BadInput, NamesThatAreNotUtf8) {
  EXPECT_EQ(failure_of("a,na\xEFve\n1,2\n"), "the name 'na\xEFve' is not UTF-8 @ input.csv:1:3");
  EXPECT_EQ(failure([&] {
              run_text("a,y\n1,x\n2,\xFF\n", {{"target", target("y")}});
            }),
            "'\xFF' in column 'y' is not UTF-8 @ input.csv:3:3");
}

TEST_F(BadInput, QuotesThatDoNotMatch) {
  EXPECT_EQ(failure_of("a,b\n1,2\n\"3,4\n5,6\n7,8\n9,10\n"),
            "a quoted field that is never closed @ input.csv:3:1");
  EXPECT_EQ(failure_of("a,b\n1,2\n\"3\" x,4\n"), "text after a quoted field @ input.csv:3:4");
}

TEST_F(BadInput, TheFirstMistakeInTheFileIsTheOneThatIsTold) {
  std::string csv = "a,b\n";
  for (int i = 0; i < 400; ++i) csv += i == 91 || i == 250 || i == 380 ? "1,bad\n" : "1,2\n";
  EXPECT_THAT(failure_of(csv), HasSubstr("@ input.csv:93:3"));
}

TEST_F(BadInput, ASeriesThatIsTooShortOrHasNoLogarithm) {
  const Json log_returns = {{"series", series("log_return", 3, 1)}};
  EXPECT_THAT(failure_of("x\n1\n2\n3\n4\n", log_returns), HasSubstr("needs at least 5"));
  EXPECT_EQ(failure_of("x\n1\n2\n0\n4\n5\n", log_returns),
            "'0' in column 'x' is not above zero: it has no logarithm @ input.csv:4:1");
}

TEST_F(BadInput, ASplitWithoutTrainingRows) {
  EXPECT_THAT(failure_of("x\n1\n2\n", {{"split", folds(1, 0)}}), HasSubstr("no training rows"));
}

TEST_F(BadInput, StratifyingNumbers) {
  EXPECT_THAT(failure_of("x,y\n1,1.5\n2,2.5\n",
                         {{"target", target("y")}, {"split", random_split(0.5, 0.0, true, 0)}}),
              HasSubstr("`stratify` needs a target of classes"));
}

TEST_F(BadInput, NumbersTooLargeToBeStandardised) {
  EXPECT_THAT(failure_of("x\n1e200\n2\n", {{"scale", "standard"}}),
              HasSubstr("column 'x' holds numbers beyond"));
}

TEST_F(BadInput, ADiskThatFillsUpOnOneRank) {  // injected; the real thing is in data_program_test.cpp
  const int last = comm.size() - 1;
  storage::set_fault(
      [&](std::string_view step) { return comm.rank() == last && step == "write" ? ENOSPC : 0; });
  std::string rows = "x\n";  // some for each rank
  for (int i = 0; i < 40; ++i) rows += std::to_string(i) + '\n';
  EXPECT_THAT(failure_of(rows), HasSubstr("No space left on device"));
  storage::set_fault({});
  EXPECT_THAT(names(), ::testing::ElementsAre("input.csv"));
}

}  // namespace
}  // namespace kernmill::tasks
