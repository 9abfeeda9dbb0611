#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <zlib.h>

#include "deploying_fixture.hpp"

/// Numbers, names and rows are kept as they are written, or it is said where one is not.
namespace kernmill::tasks {
namespace {

using storage::Part;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Kept : public Deploying {
 protected:
  std::vector<double> train_features() { return rows_of(dataset(), Part::train).features; }
  std::vector<double> targets() { return rows_of(dataset(), Part::train).target; }
  std::string failure_of(const std::string& csv, const Json& changes) {
    return failure([&] { run_text(csv, changes); });
  }
  /// What rank 0 says on stderr while it prepares; empty on the others.
  std::string said_of(const std::string& csv, const Json& changes) {
    ::testing::internal::CaptureStderr();
    metrics = run_text(csv, changes).metrics;
    return ::testing::internal::GetCapturedStderr();
  }
  [[nodiscard]] auto says(const std::string& text) const {
    return comm.is_root() ? ::testing::Matcher<std::string>(HasSubstr(text)) : IsEmpty();
  }
  static std::string gzipped(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(text.size() + 100, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
  }
  std::string predictions() { return content(directory / "predictions.csv"); }
  Json metrics;
};

TEST_F(Kept, LabelsOfAnyNumberOfDigitsAreClasses) {
  const std::string csv = "x,y\n1,1111111111111111112\n2,1111111111111111111\n3,1111111111111111113\n4,-5\n";
  for (const char* type : {"auto", "class"}) {
    run_text(csv, {{"target", target("y", type)}});
    EXPECT_THAT(dataset().schema().classes,
                ElementsAre("-5", "1111111111111111111", "1111111111111111112", "1111111111111111113"));
    EXPECT_THAT(targets(), ElementsAre(2, 1, 3, 0));
  }
}

TEST_F(Kept, AWholeNumberThatADoubleDoesNotHoldHasItsPlace) {
  const std::string lost = " is a whole number of 2^53 or more that a double does not hold @ ";
  EXPECT_EQ(failure_of("x,y\n1,1\n2,1111111111111111111\n", {{"target", target("y", "number")}}),
            "'1111111111111111111' in column 'y'" + lost + "input.csv:3:3");
  EXPECT_EQ(failure_of("x,y\n1,1.5\n2,9007199254740993\n", {{"target", target("y")}}),
            "'9007199254740993' in column 'y'" + lost + "input.csv:3:3");
  EXPECT_EQ(failure_of("id,y\n9007199254740992,1\n9007199254740993,2\n", {{"target", target("y")}}),
            "'9007199254740993' in column 'id'" + lost + "input.csv:3:1");
  put(directory / "x.svm", "1 1:1\n0 1:2 2:9007199254740993\n");
  EXPECT_THAT(failure([&] {
                run(directory / "x.svm", {{"target", target("label")}});
              }),
              HasSubstr("has a value that" + lost + "x.svm:2:7"));
}

TEST_F(Kept, SpellingsOfANumberAreOneCategory) {
  const Json changes = {
      {"target", target("y")},
      {"columns", {{"c", {{"type", "category"}, {"encode", encode("one_hot", "ignore")}}}}}};
  run_text("c,y\n1,a\n2,b\n1,b\n", changes);
  EXPECT_THAT(dataset().schema().features, ElementsAre("c=1", "c=2"));
  deploy_file("new.csv", "c\n1.0\n2.0\n2e0\n3.0\n01\n");
  EXPECT_EQ(predictions(), "row,prediction_c=1,prediction_c=2\n0,1,0\n1,0,1\n2,0,1\n3,0,0\n4,0,0\n");

  EXPECT_THAT(
      said_of("c,y\n1.0,a\n2.50,b\n1,b\n2.5,a\n007,a\n", changes),
      says("note: '1.0' in column 'c' is taken for '1': they are one number (1 more such spellings)"));
  EXPECT_THAT(dataset().schema().features, ElementsAre("c=007", "c=1", "c=2.5"));
  EXPECT_THAT(train_features(), ElementsAre(0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0));
}

TEST_F(Kept, ANumberThatMeansAMissingValueDoesSoInAnySpelling) {
  const std::string csv = "x,y\n1,1\n-999,2\n-999.0,3\n3,4\n";
  run_text(csv, {{"missing", {"-999"}}, {"impute", impute("mean")}});
  EXPECT_THAT(train_features(), ElementsAre(1, 1, 2, 2, 2, 3, 3, 4));
  EXPECT_EQ(failure_of(csv, {{"missing", {"-999"}}}),
            "'-999' in column 'x' means a missing value (`missing`) @ input.csv:3:1");
}

TEST_F(Kept, AByteOrderMarkIsNoPartOfALabel) {
  put(directory / "x.svm", "\xEF\xBB\xBF+1 1:1 2:3\n-1 1:2\n+1 1:3\n");
  run(directory / "x.svm", {{"target", target("label")}});
  EXPECT_THAT(dataset().schema().classes, ElementsAre("-1", "1"));
  EXPECT_THAT(train_features(), ElementsAre(1, 3, 2, 0, 3, 0));
  put(directory / "x.svm", std::string("\xFF\xFE+\0001\0", 6));
  EXPECT_THAT(failure([&] { run(directory / "x.svm", Json::object()); }),
              HasSubstr("not UTF-8 text, but UTF-16"));
}

TEST_F(Kept, NothingBehindAGzipStreamIsLeftOut) {
  const std::string first = gzipped("x,y\n1,a\n2,b\n"), second = gzipped("3,a\n4,b\n");
  put(directory / "x.csv.gz", first + second + std::string(512, '\0'));
  run(directory / "x.csv.gz", {{"target", target("y")}});
  EXPECT_THAT(train_features(), ElementsAre(1, 2, 3, 4));
  put(directory / "x.csv.gz", first + "3,a\n4,b\n");
  EXPECT_EQ(failure([&] {
              run(directory / "x.csv.gz", {{"target", target("y")}});
            }),
            fmt::format("the last 8 bytes of {} are not compressed @ x.csv.gz:4:1",
                        (directory / "x.csv.gz").string()));
  put(directory / "x.csv.gz", first + second.substr(0, second.size() - 6));
  EXPECT_THAT(failure([&] { run(directory / "x.csv.gz", Json::object()); }),
              HasSubstr("x.csv.gz cannot be expanded: it is cut off"));
}

TEST_F(Kept, AFileOfLibsvmMayBeNarrowerThanThatOfTheTraining) {
  put(directory / "x.svm", "1 0:1 1:1 2:2 3:3\n0 1:4 2:5 3:6\n");
  run(directory / "x.svm", {{"target", target("label")}, {"drop", {"f3"}}});
  deploy_file("narrow.svm", "1 1:7\n0 1:8\n");
  EXPECT_EQ(predictions(), "row,prediction_f0,prediction_f1,prediction_f2\n0,0,7,0\n1,0,8,0\n");
  deploy_file("zeros.svm", "1\n");
  EXPECT_EQ(predictions(), "row,prediction_f0,prediction_f1,prediction_f2\n0,0,0,0\n");
  deploy_file("same.svm", "1 1:7 3:1\n");  // what was dropped may be there
  EXPECT_EQ(predictions(), "row,prediction_f0,prediction_f1,prediction_f2\n0,0,7,0\n");
  EXPECT_EQ(
      failure([&] { deploy_file("wide.svm", "1 1:7\n0 2:1 4:2\n"); }),
      "'2' in column 'f4' is beyond f3, the last column of what the model was trained on @ wide.svm:2:7");
}

std::string labelled_rows(int classes, int rows) {
  std::string csv = "x,y\n";
  for (int i = 0; i < classes * rows; ++i) csv += fmt::format("{},{:c}\n", i, 'a' + i % classes);
  return csv;
}

TEST_F(Kept, StratifiedFoldsHaveEqualSizes) {
  for (const auto& [rows, size] : {std::pair{7, 28}, {3, 12}})
    for (int fold = 0; fold < 5; ++fold) {
      const Result result =
          run_text(labelled_rows(20, rows), {{"target", target("y")}, {"split", folds(5, fold, true)}});
      EXPECT_EQ(result.metrics["test_rows"], size);
    }
}

TEST_F(Kept, AnEmptyFoldIsAnError) {
  EXPECT_THAT(failure_of("x,y\n1,a\n2,b\n3,a\n", {{"target", target("y")}, {"split", folds(5, 4, true)}}),
              HasSubstr("fold 4 of 5 is empty: there are too few rows"));
  EXPECT_THAT(failure_of("x,g\n1,a\n2,b\n3,a\n", {{"split", folds(3, 2, false, "g")}}),
              HasSubstr("fold 2 of 3 is empty: there are too few groups"));
}

TEST_F(Kept, AClassWithoutTrainingRowsIsNamedWithItsPlace) {
  const Json changes = {
      {"target", target("y")},
      {"split", {{"type", "chronological"}, {"train", 0.5}, {"validation", 0.0}, {"test", 0.5}}}};
  EXPECT_THAT(
      said_of("x,y\n1,a\n2,b\n3,c\n4,a\n", changes),
      says("input.csv:4:3: no training row has the class 'c': no model of this dataset will know it"));
  EXPECT_EQ(metrics["untrained_classes"], 1);
  EXPECT_THAT(said_of("x,y\n1,a\n2,b\n3,a\n4,a\n", changes), IsEmpty());
  EXPECT_FALSE(metrics.contains("untrained_classes"));
}

TEST_F(Kept, AmountsThatLookLikeClassesAreDoubted) {
  std::string csv = "x,y\n";
  for (int i = 0; i < 90; ++i) csv += fmt::format("{},{}\n", i, i / 3 + 20);
  EXPECT_THAT(said_of(csv, {{"target", target("y")}}),
              says("has 30 different whole numbers in 90 rows, and each is taken for a class. Are they "
                   "amounts? target: "
                   "{column: y, type: number}; if not, type: class says so"));
  EXPECT_THAT(said_of(csv, {{"target", target("y", "class")}}), IsEmpty());
}

TEST_F(Kept, ADatasetIsReadOnly) {
  run_text("x\n1\n", Json::object());
  struct stat status {};
  ASSERT_EQ(stat((directory / "dataset.h5").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0222U, 0U);
}

}  // namespace
}  // namespace kernmill::tasks
