#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/tasks/kinds/evaluate_file.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/score/class_report.hpp"
#include "kernmill/tasks/learn/score/forecast.hpp"
#include "kernmill/tasks/learn/score/own_scores.hpp"
#include "kernmill/tasks/learn/score/roc_auc.hpp"
#include "kernmill/tasks/learn/score/scores.hpp"
#include "kernmill/tasks/models/registry.hpp"

namespace kernmill::tasks {
namespace {

/// The rows of a split, one part after the other where it is `all`.
std::vector<Rows> rows_of_split(const storage::DatasetReader& reader, const std::string& split) {
  std::vector<Rows> parts;
  for (const storage::Part part : storage::all_parts) {
    if (split != "all" && split != storage::to_string(part)) continue;
    Rows rows(reader, part);
    if (rows.count() > 0) parts.push_back(rows);
  }
  if (parts.empty()) {
    throw TaskError(fmt::format("the dataset has no {} rows", split == "all" ? "" : split), {},
                    "give the preprocess stage a split, or evaluate another part: split: train");
  }
  return parts;
}

void print_confusion(const std::vector<std::string>& classes, const std::vector<double>& confusion) {
  std::size_t width = 7;
  for (const std::string& name : classes) width = std::max(width, name.size() + 2);
  fmt::print("\nrows: true class; columns: predicted class\n{:<{}}", "", width);
  for (const std::string& name : classes) fmt::print("{:>{}}", name, width);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    fmt::print("\n{:<{}}", classes[i], width);
    for (std::size_t j = 0; j < classes.size(); ++j) {
      fmt::print("{:>{}}", static_cast<std::uint64_t>(confusion[i * classes.size() + j]), width);
    }
  }
  fmt::print("\n");
}

void print_metrics(const Json& metrics) {
  for (const auto& [name, value] : metrics.items()) {
    if (value.is_number_float()) {
      fmt::print("{:<28} {:>14.6g}\n", name, value.get<double>());
    } else {
      fmt::print("{:<28} {:>14}\n", name, value.dump());
    }
  }
}

/// What was predicted of each class, beside the matrix that counts it.
void print_classes(const Json& per_class) {
  std::size_t width = 7;
  for (const Json& one : per_class) width = std::max(width, one.at("class").get<std::string>().size() + 2);
  fmt::print("\n{:<{}}{:>9}", "class", width, "rows");
  constexpr std::array names{"precision", "recall", "f1", "roc_auc", "log_loss"};
  for (const char* name : names) fmt::print("{:>12}", name);
  for (const Json& one : per_class) {
    fmt::print("\n{:<{}}{:>9}", one.at("class").get<std::string>(), width,
               one.at("rows").get<std::uint64_t>());
    for (const char* name : names)
      fmt::print("{:>12}", one.contains(name) ? fmt::format("{:.4f}", one.at(name).get<double>()) : "-");
  }
  fmt::print("\n");
}

/// Collective. `judged` holds this rank's rows: the true class, then the scores.
Json report_on_classes(const Communicator& comm, const ClassScores& scores, const RowStore& judged,
                       const std::vector<std::string>& classes, Json& report) {
  const ClassReport by_class =
      report_classes(classes, scores, roc_auc(comm, judged, scores.has_probabilities));
  report["classes"] = classes;
  Json& confusion = report["confusion"] = Json::array();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto row = scores.confusion.begin() + static_cast<std::ptrdiff_t>(i * classes.size());
    confusion.push_back(std::vector<std::uint64_t>(row, row + static_cast<std::ptrdiff_t>(classes.size())));
  }
  report["per_class"] = by_class.per_class;
  report["weighted"] = by_class.weighted;
  Json metrics = scores.metrics();
  metrics.update(by_class.metrics);
  if (comm.is_root()) {
    print_metrics(metrics);
    print_classes(by_class.per_class);
    print_confusion(classes, scores.confusion);
  }
  return metrics;
}

Json evaluate_classes(const Spec& spec, const Communicator& comm, const std::vector<Rows>& parts,
                      const Predictor& predictor, Json& report) {
  const auto& classes = parts.front().schema().classes;
  ClassScores scores;
  RowStore judged(classes.size() + 1, {Buffer{}.bytes, {spec.output_directory, spec.key}});
  for (const Rows& rows : parts) scores.add(score_classes(comm, rows, predictor, &judged));
  return report_on_classes(comm, scores, judged, classes, report);
}

// "no change" is compared with in one part only: two parts are not one run of time.
Json evaluate_numbers(const Communicator& comm, const std::vector<Rows>& parts, const Predictor& predictor) {
  NumberScores scores = score_numbers(comm, parts.front(), predictor);
  for (std::size_t i = 1; i < parts.size(); ++i) scores.add(score_numbers(comm, parts[i], predictor));
  Json metrics = scores.metrics();
  if (!parts.front().schema().series.transform.empty()) {
    metrics.update(compare_with_naive(comm, parts.back(), predictor));
  }
  if (comm.is_root()) print_metrics(metrics);
  return metrics;
}

Json evaluate_own(const Communicator& comm, const std::vector<Rows>& parts, const storage::Model& model,
                  Json& report) {
  const auto scores = model_kind(model.type).own_scores();
  scores->take(model);
  for (const Rows& rows : parts) scores->add(comm, rows);
  Json metrics = scores->metrics(comm, &report);
  if (comm.is_root()) print_metrics(metrics);
  return metrics;
}

Result evaluate_dataset(const Spec& spec, const Communicator& comm, const storage::Model& model,
                        const Predictor& predictor, Json& report) {
  const storage::DatasetReader reader = open_dataset(comm, spec, "data");
  check_same_meaning(model.schema, reader.schema());
  const auto split = setting_as<std::string>(spec.config, "split");
  report["split"] = split;
  const std::vector<Rows> parts = rows_of_split(reader, split);
  if (model_kind(model.type).own_scores != nullptr)
    return {evaluate_own(comm, parts, model, report), Json::object()};
  const bool classes = model.schema.target_kind == storage::TargetKind::classes;
  return {classes ? evaluate_classes(spec, comm, parts, predictor, report)
                  : evaluate_numbers(comm, parts, predictor),
          Json::object()};
}

Result evaluate_file(const Spec& spec, const Communicator& comm, const storage::Model& model,
                     const Predictor& predictor, Json& report) {
  report["input"] = spec.input("input").filename();
  JudgedFile file = judge_file(spec, comm, model.schema, predictor);
  Json metrics;
  if (model.schema.target_kind == storage::TargetKind::classes) {
    metrics = report_on_classes(comm, file.classes, file.judged, model.schema.classes, report);
  } else {
    metrics = file.numbers.metrics();
    if (comm.is_root()) print_metrics(metrics);
  }
  metrics.update(file.result.metrics);
  return {metrics, file.result.artifacts};
}

}  // namespace

Result run_evaluate(const Spec& spec, const Communicator& comm) {
  const storage::Model model = read_model(comm, spec, "model");
  const auto opened = open_model(model);
  const Predictor& predictor = *opened;
  Json report = {{"schema_version", 1}, {"model", model.type}};
  Result result = spec.inputs.contains("input") ? evaluate_file(spec, comm, model, predictor, report)
                                                : evaluate_dataset(spec, comm, model, predictor, report);
  report["metrics"] = result.metrics;
  std::fflush(stdout);
  comm.agree([&] {
    if (comm.is_root())
      storage::write_durably(spec.output_directory / "evaluation.json",
                             report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  });
  result.artifacts["report"] = "evaluation.json";
  return result;
}

}  // namespace kernmill::tasks
