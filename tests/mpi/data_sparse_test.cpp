#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data_fixture.hpp"
#include "kernmill/tasks/kinds/deploy.hpp"
#include "scorer.hpp"

/// LIBSVM input as sparse rows.
namespace kernmill::tasks {
namespace {

using storage::Element;
using storage::Part;
using ::testing::HasSubstr;

class SparseRowsOf : public Preprocessing {
 protected:
  /// 60 rows of 300 columns; `value` makes them.
  template <class Value>
  void put_rows(const std::string& name, const Value& value) {
    std::mt19937 random(5);
    std::string text;
    for (int row = 0; row < 60; ++row) {
      text += row % 3 == 0 ? "+1" : "-1";
      for (int column = 1 + static_cast<int>(random() % 30); column <= 300;
           column += 1 + static_cast<int>(random() % 60))
        text += fmt::format(" {}:{}", column, value(random));
      text += row == 30 ? " # all\n" : "\n";
    }
    put(directory / name, text + "1 300:1\n");
  }
  void put_fractions(const std::string& name) {
    put_rows(name, [](auto& random) { return static_cast<double>(random() % 1000) / 7; });
  }
  std::vector<Rows> all_rows() {
    const auto reader = dataset();
    std::vector<Rows> all;
    for (const Part part : storage::all_parts) all.push_back(rows_of(reader, part));
    return all;
  }
};

TEST_F(SparseRowsOf, ADatasetAreThoseOfWholeOnes) {
  put_fractions("x.svm");
  for (const Json& more :
       {Json{{"shuffle", false}}, Json{{"shuffle", true}}, Json{{"shuffle", true}, {"balance", "oversample"}},
        Json{{"balance", "undersample"}}, Json{{"shuffle", true}, {"buffer", 500}}}) {
    Json changes = {{"target", target("label")}, {"split", random_split(0.2, 0.1, true, 3)}};
    changes.update(more);
    changes["sparse"] = "false";
    run(directory / "x.svm", changes);
    EXPECT_FALSE(dataset().encoding().sparse);
    const auto expected = all_rows();
    const auto classes = dataset().schema().classes;
    changes["sparse"] = "auto";
    run(directory / "x.svm", changes);
    const auto reader = dataset();
    EXPECT_TRUE(reader.encoding().sparse);
    EXPECT_EQ(reader.encoding().target, Element::i32);
    EXPECT_EQ(reader.schema().classes, classes);
    EXPECT_EQ(reader.schema().features.size(), 300U);
    const auto found = all_rows();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found[i].features, expected[i].features) << more;
      EXPECT_EQ(found[i].target, expected[i].target) << more;
      EXPECT_EQ(found[i].numbers, expected[i].numbers) << more;
    }
  }
}

TEST_F(SparseRowsOf, SmallWholeNumbersAreBytes) {
  const auto type_of_values = [&](const auto& value) {
    put_rows("x.svm", value);
    run(directory / "x.svm", Json::object());
    return dataset().encoding().features;
  };
  EXPECT_EQ(type_of_values([](auto&) { return 1; }), Element::u8);
  EXPECT_EQ(type_of_values([](auto& random) { return static_cast<int>(random() % 1000) - 500; }),
            Element::i32);
  EXPECT_EQ(type_of_values([](auto& random) { return 0.25 * static_cast<double>(random() % 1000); }),
            Element::f32);
  EXPECT_EQ(type_of_values([](auto&) { return 0.1; }), Element::f64);
  run(directory / "x.svm", {{"precision", "float16"}});
  EXPECT_EQ(dataset().encoding().features, Element::f16);
  EXPECT_THAT(failure([&] {
                run(directory / "x.svm", {{"precision", "uint8"}});
              }),
              HasSubstr("is none that uint8 holds @ x.svm:1:4"));
}

TEST_F(SparseRowsOf, AreLeftWhereASettingNeedsWholeRows) {
  put_fractions("x.svm");
  run(directory / "x.svm", {{"scale", "standard"}});
  EXPECT_FALSE(dataset().encoding().sparse);
  EXPECT_THAT(failure([&] {
                run(directory / "x.svm", {{"scale", "standard"}, {"sparse", "true"}});
              }),
              HasSubstr("`scale` needs rows that hold every number"));
  EXPECT_THAT(failure([&] {
                run_text("x,y\n1,2\n", {{"sparse", "true"}});
              }),
              HasSubstr("is not in LIBSVM's format"));
  put(directory / "far.svm", "1 5:1 1500000:2\n0 7:1\n");
  EXPECT_THAT(failure([&] {
                run(directory / "far.svm", {{"scale", "standard"}});
              }),
              HasSubstr("has 1500000 columns, too many for rows that hold every one of them"));
  run(directory / "far.svm", {{"target", target("label")}});
  storage::SparseRows rows;
  dataset().read_sparse(Part::train, {0, 2}, rows);
  EXPECT_THAT(rows.columns, ::testing::ElementsAre(4, 1499999, 6));
}

TEST_F(SparseRowsOf, BadOnesHaveTheirPlaceOrAreLeftOut) {
  std::string text;
  for (int i = 1; i < 30; ++i) text += fmt::format("{} {}:{}\n", i % 2, i * 10, i);
  put(directory / "x.svm", text + "1 5:1 4:1\n0 300:2\n");
  EXPECT_EQ(failure([&] {
              run(directory / "x.svm", {{"target", target("label")}});
            }),
            "'4:1' in column 'label or index:value' has an index that does not rise @ x.svm:30:7");
  const Result result = run(directory / "x.svm", {{"target", target("label")}, {"on_bad_row", "skip"}});
  EXPECT_EQ(result.metrics["rejected"], 1);
  EXPECT_EQ(dataset().rows(Part::train), 30U);
  EXPECT_EQ(
      failure([&] {
        run(directory / "x.svm", {{"missing", {"7"}}});
      }),
      "'7' in column 'f70' means a missing value (`missing`), and there is none in sparse rows @ x.svm:7:3");
}

TEST_F(SparseRowsOf, AreDeployedAsTheyAre) {
  put(directory / "x.svm", "1 2:0.5 100:2\n0\n0 7:1 8:3 # not in the model: none\n");
  storage::Schema schema;
  for (int i = 1; i <= 200; ++i) schema.features.push_back(fmt::format("f{}", i));
  schema.target = "label";
  schema.target_kind = storage::TargetKind::numbers;
  schema.target_names = {"label"};
  Scorer scorer;
  scorer.score_sparse = [](const storage::SparseRows& rows, std::span<double> scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = 0;
      for (auto at = rows.begins[i]; at < rows.begins[i + 1]; ++at)
        scores[i] += rows.columns[at] * rows.values[at];
    }
  };
  Spec spec;
  spec.config = kernmill::testing::preprocess_settings({{"probabilities", false}});
  spec.inputs["input"] = directory / "x.svm";
  spec.output_directory = directory;
  EXPECT_EQ(deploy(spec, comm, schema, scorer).metrics["rows"], 3);
  EXPECT_EQ(content(directory / "predictions.csv"), "row,prediction\n0,198.5\n1,0\n2,27\n");
  put(directory / "x.svm", "1 2:0.5\n1 201:2\n");
  EXPECT_THAT(
      failure([&] { deploy(spec, comm, schema, scorer); }),
      HasSubstr("'2' in column 'f201' is beyond f200, the last column of what the model was trained on"));
}

}  // namespace
}  // namespace kernmill::tasks
