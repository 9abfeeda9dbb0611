#include <cmath>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/support/task_error.hpp"
#include "kernmill/workflow/parse/parser.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

// Every model x layout x precision x exact, on as many ranks as there are. What trains gives the model of one
// rank; what cannot be is refused where the workflow is read and, as a setting may be known later (a matrix),
// by the task. The document, workflows/README.md, has the same table in words.
namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::HasSubstr;

/// Why something is refused.
struct Why {
  const char* phrase;     ///< of the messages that say so; empty: it is not refused
  const char* footnote;   ///< the document's cell
  bool is_static = true;  ///< whether the workflow tells, without the data
};
const Why fine{"", "yes"};
const Why one_method{"lays out a training in mini-batches", "no (1)"};
const Why no_network{"shares the layers of a network", "no (2)"};
const Why one_layer{"of layers it has 1", "no (3)", false};
const Why in_float64{"is for a network that is trained in mini-batches", "no (4)"};
const Why always_exact{"always exact", "no (5)"};
const Why no_power_of_two{"layers cannot be cut into 3 slices", "", false};

struct Row {
  std::string told;      ///< in the document
  std::string data;      ///< classes, two_classes, numbers, series or sparse
  std::string settings;  ///< of the train stage
  const Why &tensor, &pipeline, &float32, &fast;
  [[nodiscard]] bool goes_by_batches() const { return *fast.phrase == '\0'; }
};

// As few steps as show what ranks do.
const std::string batches = ", optimizer: {type: adam, epochs: 1, batch_size: 48}";
const std::string clipped_batches = ", optimizer: {type: adam, epochs: 1, batch_size: 48, clip_norm: 0.1}";
const std::string newton = ", optimizer: {type: newton, max_iterations: 2}";
const std::string path = ", optimizer: {type: interior_point, max_iterations: 3}";

/// A model that is trained with all rows at once.
Row at_once(std::string told, std::string data, const std::string& model, const std::string& how) {
  return {std::move(told), std::move(data), model + how, one_method, one_method, in_float64, always_exact};
}
/// A linear model in mini-batches.
Row linear(std::string told, std::string data, const std::string& model) {
  return {std::move(told), std::move(data), model + batches, fine, one_layer, in_float64, fine};
}
Row network(std::string told, std::string data, const std::string& model, const Why& layers) {
  return {std::move(told), std::move(data), model + batches, layers, layers, fine, fine};
}
Row clipped(std::string told, std::string data, const std::string& model) {
  return {std::move(told), std::move(data), model + clipped_batches, fine, fine, fine, fine};
}
Row without_layers(std::string told, std::string model) {
  return {std::move(told), "classes", std::move(model), no_network, no_network, in_float64, always_exact};
}

const std::vector<Row> table{
    at_once("`softmax`, all rows at once", "classes", "model: softmax", newton),
    linear("`softmax`, mini-batches", "classes", "model: softmax"),
    at_once("`logistic`, all rows at once", "two_classes", "model: logistic", newton),
    linear("`logistic`, mini-batches", "two_classes", "model: logistic"),
    at_once("`linear_svm` with `squared_hinge`, all rows at once", "classes", "model: linear_svm", newton),
    linear("`linear_svm` with `squared_hinge`, mini-batches", "classes", "model: linear_svm"),
    at_once("`linear_svm` with `hinge`", "classes", "model: {type: linear_svm, loss: hinge}", path),
    at_once("`linear_svr` with `squared_epsilon_insensitive`, all rows at once", "numbers",
            "model: {type: linear_svr, loss: squared_epsilon_insensitive}", newton),
    linear("`linear_svr` with `squared_epsilon_insensitive`, mini-batches", "numbers",
           "model: {type: linear_svr, loss: squared_epsilon_insensitive}"),
    at_once("`linear_svr` with `epsilon_insensitive`", "numbers", "model: linear_svr", path),
    at_once("`linear_regression`, closed form", "numbers", "model: linear_regression", ""),
    at_once("`linear_regression`, coordinate descent", "numbers",
            "model: {type: linear_regression, l1: 0.01}", ""),
    at_once("`linear_regression`, lbfgs", "numbers", "model: linear_regression",
            ", optimizer: {type: lbfgs, max_iterations: 3}"),
    linear("`linear_regression`, mini-batches", "numbers", "model: linear_regression"),
    at_once("`mlp`, lbfgs", "classes", "model: {type: mlp, hidden: [8]}",
            ", optimizer: {type: lbfgs, max_iterations: 3}"),
    network("`mlp`, mini-batches", "classes", "model: {type: mlp, hidden: [8, 8, 8]}", fine),
    clipped("`mlp` with `gelu`, `layer_norm`, `dropout` and `clip_norm`", "classes",
            "model: {type: mlp, hidden: [8, 8, 8], activation: gelu, layer_norm: true, dropout: 0.1}"),
    linear("`softmax` of sparse rows, mini-batches", "sparse", "model: softmax"),
    network("`mlp` of sparse rows", "sparse", "model: {type: mlp, hidden: [8, 8, 8]}", fine),
    network("`lstm`", "series", "model: {type: lstm, hidden: 4, layers: 3}", fine),
    network("`gru`", "series", "model: {type: gru, hidden: 4, layers: 3}", fine),
    without_layers("`kmeans`, all rows at once", "model: {type: kmeans, k: 3, max_iterations: 3}"),
    without_layers("`kmeans`, mini-batches", "model: {type: kmeans, k: 3, batch_size: 48, epochs: 1}"),
    without_layers("`pca`", "model: {type: pca, components: 2}"),
    without_layers("`kernel_svm`", "model: {type: kernel_svm, tolerance: 0.1}"),
    without_layers("`kernel_svm` with `random_features`",
                   "model: {type: kernel_svm, random_features: 16, tolerance: 0.1}")};

/// A way for all ranks to share a training.
struct Shared {
  std::string name;  ///< data, tensor, pipeline or hybrid
  int data, tensor, pipeline;
};

std::vector<Shared> layouts_of(int ranks) {
  std::vector<Shared> all{{"data", ranks, 1, 1}};
  if (ranks == 1) return all;
  all.push_back({"tensor", 1, ranks, 1});
  all.push_back({"pipeline", 1, 1, ranks});
  if (ranks % 4 == 0) all.push_back({"hybrid", 2, ranks / 4, 2});
  return all;
}

/// A column of the table: what is asked for beside a row's settings.
struct Asked {
  Shared shared;
  std::string precision;
  bool exact;
  [[nodiscard]] Json json() const {
    return {{"parallel",
             {{"data", shared.data},
              {"tensor", shared.tensor},
              {"pipeline", shared.pipeline},
              {"slices", shared.tensor}}},
            {"precision", precision},
            {"exact", exact}};
  }
  /// The same model on one rank.
  [[nodiscard]] Json alone() const {
    return {{"parallel", {{"slices", shared.tensor}}}, {"precision", precision}, {"exact", true}};
  }
};

std::vector<Why> reasons_against(const Row& row, const Asked& asked) {
  std::vector<Why> all;
  const auto add = [&](bool applies, const Why& why) {
    if (applies && *why.phrase != '\0') all.push_back(why);
  };
  add(asked.precision != "float64", row.float32);
  add(!asked.exact, row.fast);
  if (asked.shared.name == "tensor") {
    add(true, row.tensor);
    add(asked.shared.tensor == 3 && all.empty(), no_power_of_two);
  } else if (asked.shared.name != "data") {
    add(true, row.pipeline);
  }
  return all;
}

/// What a workflow says: its train stage's settings, or its mistakes.
struct Read {
  Json config;
  std::string mistakes;
};

Read read_workflow(const std::string& settings, int ranks) {
  const Files there{[](const auto&) { return true; }, [](const auto&, auto, auto) { return std::nullopt; }};
  const std::string text =
      fmt::format("stages: {{fit: {{task: train, data: rows.h5, ntasks: {}, {}}}}}\n", ranks, settings);
  Diagnostics diagnostics;
  const Workflow workflow = parse_workflow({"/flow.yaml", text}, {}, there, diagnostics);
  const Stage* fit = workflow.find("fit");
  return {fit == nullptr ? Json() : fit->config, render(diagnostics, false)};
}

/// 96 rows of 8 columns and a target that follows from them, drawn by a linear congruential generator.
std::string rows_as_text(const std::string& kind) {
  const bool sparse = kind == "sparse";
  std::string text = sparse ? "" : "a,b,c,d,e,f,g,h,y\n";
  std::uint64_t state = 7;
  for (int i = 0; i < 96; ++i) {
    double sum = 0;
    std::string line;
    for (int j = 0; j < 8; ++j) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const double value = std::ldexp(static_cast<double>(state >> 40U), -23) - 1;
      sum += (j - 3) * value;
      if (!sparse) line += fmt::format("{},", value);
      if (sparse && j % 2 == i % 2) line += fmt::format(" {}:{}", j + 1, value);
    }
    const int label = sum < -1.5 ? 0 : sum < 1.5 ? 1 : 2;
    const std::string target = kind == "two_classes" ? fmt::format("{}", label > 0 ? 1 : 0)
                               : kind == "numbers"   ? fmt::format("{}", sum)
                                                     : fmt::format("{}", label);
    text += (sparse ? target + line : line + target) + '\n';
  }
  return text;
}

class LearnTable : public LearnWorld {
 protected:
  struct Model {
    std::uint64_t digest = 0;
    double loss = 0;  ///< rank 0 alone knows that of a training on one rank
  };
  const std::filesystem::path& data(const std::string& kind) {
    std::filesystem::path& made = data_[kind];
    if (!made.empty()) return made;
    const auto file = directory / (kind + (kind == "sparse" ? ".svm" : ".csv"));
    put(file, rows_as_text(kind));
    Json settings = {{"target", {{"column", kind == "sparse" ? "label" : "y"}, {"type", "auto"}}}};
    if (kind == "sparse") settings["sparse"] = "true";
    if (kind == "series")
      settings = {
          {"split", {{"type", "chronological"}, {"train", 1.0}, {"validation", 0.0}, {"test", 0.0}}},
          {"series",
           {{"transform", "none"}, {"window", 4}, {"horizon", 1}, {"columns", Json::array({"a", "b"})}}}};
    const tasks::Spec prepare =
        spec("preprocess", preprocess_settings(settings), {{"input", file}}, "prepare-" + kind);
    tasks::run_preprocess(prepare, comm);
    return made = prepare.output_directory / "dataset.h5";
  }
  /// The model of one rank, trained once.
  const Model& alone(const Row& row, Json config) {
    const auto [found, is_new] = alone_.try_emplace(row.told + config.dump());
    if (!is_new) return found->second;
    Model& model = found->second;
    const tasks::Spec wanted = spec("train", config, {{"data", data(row.data)}}, "alone");
    on_first_rank([&](const tasks::Communicator& one) {
      model.loss = tasks::run_train(wanted, one).metrics.value("train_loss", 0.0);
    });
    model.digest = digest(parameters("alone"));
    return model;
  }
  void check(const Row& row, const Json& plain, const Asked& asked) {
    const std::vector<Why> against = reasons_against(row, asked);
    expect_told_by_workflow(row, asked, against);
    if (is_known(row, asked, against)) return;
    Json config = plain;
    config.update(asked.json());
    Json metrics;
    const std::string refusal =
        message_of<tasks::TaskError>([&] { metrics = train(data(row.data), config).metrics; });
    if (!against.empty()) {
      EXPECT_THAT(refusal, HasSubstr(against.front().phrase));
      return;
    }
    ASSERT_EQ(refusal, "");
    Json single = plain;
    single.update(asked.alone());
    const Model& expected = alone(row, single);
    // A layout of layers sums in one order whatever is asked for.
    if (asked.exact || asked.shared.name != "data") {
      EXPECT_EQ(digest(parameters()), expected.digest);
    } else if (comm.is_root()) {
      expect_relative(metrics.at("train_loss"), expected.loss,
                      asked.precision == "float64"   ? 1e-9
                      : asked.precision == "float32" ? 1e-4
                                                     : 1e-2);
    }
  }

 private:
  /// Whether the task need not be asked: of several reasons each is tried alone. On more than two ranks, for
  /// which a small machine takes long, what does not depend on their number is left out: refusals without a
  /// look at the data, methods of all rows, whose sums other tests try on so many, and of linear models all
  /// but the slices.
  [[nodiscard]] bool is_known(const Row& row, const Asked& asked, const std::vector<Why>& against) const {
    if (against.size() > 1 || comm.size() <= 2) return against.size() > 1;
    if (&row.pipeline == &one_layer && (asked.shared.name != "tensor" || !asked.exact)) return true;
    return against.empty() ? !row.goes_by_batches() : against.front().is_static;
  }
  void expect_told_by_workflow(const Row& row, const Asked& asked, const std::vector<Why>& against) const {
    const std::string more = asked.json().dump();
    const std::string mistakes =
        read_workflow(row.settings + ", " + more.substr(1, more.size() - 2), comm.size()).mistakes;
    bool silent = true;
    for (const Why& why : against) {
      if (!why.is_static) continue;
      silent = false;
      EXPECT_THAT(mistakes, HasSubstr(why.phrase));
    }
    if (silent) {
      EXPECT_EQ(mistakes, "");
    }
  }
  std::map<std::string, std::filesystem::path> data_;
  std::map<std::string, Model> alone_;
};

TEST_F(LearnTable, HasEveryModel) {
  for (const tasks::ModelKind* kind : tasks::model_kinds())
    EXPECT_TRUE(std::any_of(table.begin(), table.end(), [&](const Row& row) {
      return row.told.find(fmt::format("`{}`", kind->type)) != std::string::npos;
    })) << kind->type;
}

/// What is left out on more: where layers are shared `exact: false` changes nothing, and mixed precision is
/// float32 with rounded factors.
bool is_tried_on_two(const Shared& shared, std::string_view precision, bool exact) {
  if (shared.name == "data") return precision == "mixed" && !exact;
  return !exact || precision == "float32";
}

TEST_F(LearnTable, IsWhatRanksDo) {
  for (const Row& row : table) {
    const Read plain = read_workflow(row.settings, comm.size());
    ASSERT_EQ(plain.mistakes, "") << row.told;
    for (const Shared& shared : layouts_of(comm.size()))
      for (const char* precision : {"float64", "float32", "mixed"})
        for (const bool exact : {true, false}) {
          if (comm.size() > 2 && is_tried_on_two(shared, precision, exact)) continue;
          SCOPED_TRACE(fmt::format("{}: {}, {}, exact: {}", row.told, shared.name, precision, exact));
          check(row, plain.config, {shared, precision, exact});
        }
  }
}

/// The table as the document has it.
std::string in_words() {
  std::string text =
      "| | ranks share the rows | `tensor` | `pipeline`, and `data` with it | `precision: float32`, or "
      "`mixed` | `exact: false` |\n|---|---|---|---|---|---|\n";
  for (const Row& row : table)
    text += fmt::format("| {} | yes | {} | {} | {} | {} |\n", row.told, row.tensor.footnote,
                        row.pipeline.footnote, row.float32.footnote, row.fast.footnote);
  return text;
}

// After a change that is meant, KERNMILL_ACCEPT=1 writes it anew.
TEST_F(LearnTable, IsThatOfTheDocument) {
  const std::filesystem::path file = KERNMILL_DATA "/../README.md";
  if (!comm.is_root()) return;
  std::string text = content(file);
  const std::string begin = "<!-- sharing begin -->\n", end = "<!-- sharing end -->";
  const auto first = text.find(begin) + begin.size(), last = text.find(end);
  ASSERT_LE(first, last) << "workflows/README.md has lost the marks of this table";
  if (std::getenv("KERNMILL_ACCEPT") != nullptr)
    std::ofstream(file, std::ios::binary) << text.replace(first, last - first, in_words());
  else
    EXPECT_EQ(text.substr(first, last - first), in_words());
}

}  // namespace
}  // namespace kernmill::testing
